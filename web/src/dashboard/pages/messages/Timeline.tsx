import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { t } from "@/lib/i18n";
import { byEndpoint, ownerOf, type Row, resultOf, succeeded } from "@/parts/message/attempts";
import { attemptsQuery, explainQuery } from "@/parts/message/queries";
import { Timeline } from "@/ui/chart";
import { ErrorState, Skeleton } from "@/ui/States";

const route = getRouteApi("/shell/messages");

/** From acceptance to the last attempt, for each endpoint. */
export function MessageTimeline({ message }: { message: Row }) {
  const navigate = route.useNavigate();
  const app = ownerOf(message);
  const attempts = useQuery(attemptsQuery(app, message.id));
  const explained = useQuery(explainQuery(app, message.id));
  if (attempts.error) return <ErrorState error={attempts.error} retry={() => void attempts.refetch()} />;
  if (!attempts.data || !explained.data) return <Skeleton rows={4} />;
  const groups = byEndpoint(attempts.data);
  const tried = explained.data.endpoints.filter((one) => one.verdict !== "not_matched");
  if (tried.length === 0) return <p className="p-4 text-base text-ink-2">{t("send.result.none")}</p>;
  return (
    <div className="flex flex-col gap-6 p-3">
      {tried.map((one) => (
        <section key={one.endpointId} className="flex flex-col gap-2">
          <h3 className="truncate font-medium" title={one.url}>
            {one.url.replace(/^https?:\/\//, "")}
          </h3>
          <Timeline
            label={one.url}
            acceptedAt={new Date(message.timestamp)}
            nextAt={one.dueAt ? new Date(one.dueAt) : undefined}
            attempts={(groups.get(one.endpointId) ?? []).map((attempt) => ({
              id: attempt.id,
              number: attempt.attemptNumber,
              at: new Date(attempt.timestamp),
              outcome: succeeded(attempt) ? "delivered" : "failed",
              result: resultOf(attempt),
              duration: attempt.responseDurationMs,
            }))}
            onSelect={(attempt) =>
              void navigate({
                to: "/messages/$message/attempt/$attempt",
                params: { message: message.id, attempt },
                search: {},
              })
            }
          />
        </section>
      ))}
    </div>
  );
}
