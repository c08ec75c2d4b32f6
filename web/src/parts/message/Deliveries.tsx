import { useQuery } from "@tanstack/react-query";
import { ArrowRight } from "lucide-react";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Link } from "@/ui/Link";
import { ErrorState, Skeleton } from "@/ui/States";
import { Mark, StatusMark } from "@/ui/Status";
import {
  type Attempt,
  byEndpoint,
  deliveredAfter,
  type Explained,
  ownerOf,
  type Row,
  resultOf,
  statusOf,
  succeeded,
  tookOf,
} from "./attempts";
import { Due } from "./Due";
import { attemptsQuery, explainQuery } from "./queries";

/** Every endpoint with what became of the message there, and why the others did not get it. */
export function Deliveries({ message }: { message: Row }) {
  const app = ownerOf(message);
  const explained = useQuery(explainQuery(app, message.id));
  const attempts = useQuery(attemptsQuery(app, message.id));
  const error = explained.error ?? attempts.error;
  if (error)
    return <ErrorState error={error} retry={() => void Promise.all([explained.refetch(), attempts.refetch()])} />;
  if (!explained.data) return <Skeleton rows={4} />;
  const groups = byEndpoint(attempts.data ?? []);
  const got = explained.data.endpoints.filter((one) => one.verdict !== "not_matched");
  const not = explained.data.endpoints.filter((one) => one.verdict === "not_matched");
  if (explained.data.endpoints.length === 0)
    return <p className="p-4 text-base text-ink-2">{t(message.sourceId ? "msg.nobody.source" : "msg.nobody")}</p>;
  return (
    <>
      <ul>
        {got.map((one) => (
          <Delivery key={one.endpointId} endpoint={one} attempts={groups.get(one.endpointId) ?? []} message={message} />
        ))}
      </ul>
      {not.length > 0 && (
        <section>
          <h3 className="border-line border-b bg-sunken px-3 py-1 font-medium text-ink-2 text-xs">
            {t("msg.others")} <span className="data">{not.length}</span>
          </h3>
          <ul>
            {not.map((one) => (
              <li key={one.endpointId} className="flex flex-col gap-0.5 border-line border-b px-3 py-2">
                <span className="flex items-center gap-2">
                  <EndpointLink endpoint={one} />
                  <StatusMark status="skipped" />
                </span>
                <span className="text-ink-2">{one.text}</span>
                {one.changedSinceAccept && <span className="text-ink-3 text-xs">{t("msg.changed")}</span>}
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function EndpointLink({ endpoint }: { endpoint: Explained }) {
  return (
    <Link
      to="/endpoints"
      search={{ open: endpoint.endpointId }}
      className="min-w-0 flex-1 truncate font-medium"
      title={endpoint.url}
    >
      {endpoint.url.replace(/^https?:\/\//, "")}
    </Link>
  );
}

function Delivery({
  endpoint,
  attempts,
  message,
}: {
  endpoint: Explained;
  attempts: readonly Attempt[];
  message: Row;
}) {
  return (
    <li className="flex flex-col gap-1 border-line border-b px-3 py-2">
      <span className="flex items-center gap-2">
        <EndpointLink endpoint={endpoint} />
        <StatusMark status={statusOf(endpoint.verdict, endpoint.attempts, endpoint.heldReason)} />
      </span>
      {attempts.length > 0 && <Chain attempts={attempts} message={message.id} />}
      {endpoint.verdict !== "delivered" && <span className="text-ink-2">{endpoint.text}</span>}
      {(endpoint.dueAt || endpoint.nextProbeAt) && (
        <span className="flex gap-3 text-ink-3">
          {endpoint.dueAt && (
            <span>
              {t("msg.next")} <Due at={endpoint.dueAt} />
            </span>
          )}
          {endpoint.nextProbeAt && (
            <span>
              {t("msg.heldUntil")} <Due at={endpoint.nextProbeAt} />
            </span>
          )}
        </span>
      )}
      {endpoint.changedSinceAccept && <span className="text-ink-3 text-xs">{t("msg.changed")}</span>}
    </li>
  );
}

/** So many attempts are drawn; the ones before them are counted. */
const most = 6;

/** The attempts one after another: ✕ 500 → ✕ timeout → ✓ 200 after 6 min. */
function Chain({ attempts, message }: { attempts: readonly Attempt[]; message: string }) {
  const shown = attempts.slice(-most);
  const after = deliveredAfter(attempts);
  const only = attempts.length === 1 ? attempts[0] : undefined;
  return (
    <ol className="flex flex-wrap items-center gap-x-1.5 gap-y-1">
      {attempts.length > shown.length && (
        <li className="text-ink-3">{t("msg.earlier", { n: attempts.length - shown.length })} →</li>
      )}
      {shown.map((attempt, i) => (
        <li key={attempt.id} className="flex items-center gap-1.5">
          {i > 0 && <ArrowRight aria-hidden size={12} className="text-ink-3" />}
          <Link
            to="/messages/$message/attempt/$attempt"
            params={{ message, attempt: attempt.id }}
            className="inline-flex min-h-6 items-center gap-1"
            aria-label={`${t("msg.attemptN", { n: attempt.attemptNumber })}: ${resultOf(attempt)}`}
          >
            <Mark status={succeeded(attempt) ? "delivered" : "failed"} />
            <span className="data">{resultOf(attempt)}</span>
          </Link>
        </li>
      ))}
      <li className="text-ink-3">
        {after !== undefined ? t("msg.after", { time: duration(after) }) : only && tookOf(only)}
      </li>
    </ol>
  );
}
