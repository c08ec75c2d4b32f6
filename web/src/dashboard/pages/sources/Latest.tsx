import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { bytes } from "@/lib/format";
import { t } from "@/lib/i18n";
import { useLive } from "@/lib/live";
import { Button } from "@/ui/Button";
import { cx } from "@/ui/cx";
import { Link, PlainLink } from "@/ui/Link";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { latestQuery, type Source, type SourceType } from "./queries";
import { sampleCommand } from "./sample";
import { markOf } from "./state";

interface LatestProps {
  source: Source;
  type: SourceType;
  /** What arrives goes nowhere yet. */
  nowhere: boolean;
  /** Opens the place where destinations are added. */
  onDestinations(): void;
}

/** What reached the source last; it listens, and fills itself. */
export function Latest({ source, type, nowhere, onDestinations }: LatestProps) {
  const client = useQueryClient();
  const query = latestQuery(source.id);
  const found = useQuery(query);
  const [waited, setWaited] = useState(false);
  const [first, setFirst] = useState<"good" | "refused" | null>(null);
  const newest = found.data?.data[0];
  const empty = found.data !== undefined && newest === undefined;
  useEffect(() => {
    if (empty) setWaited(true);
    else if (waited && newest) setFirst((old) => old ?? (newest.state === "refused" ? "refused" : "good"));
  }, [empty, waited, newest]);
  useLive((event) => {
    if (event.more || event.requests?.some(({ sourceId }) => sourceId === source.id))
      void client.invalidateQueries({ queryKey: query.queryKey });
  });
  if (found.error && !found.data) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton rows={3} />;
  return (
    <>
      <p
        role="status"
        className={cx(
          "mb-2 rounded border-l-2 px-3 py-2 empty:hidden",
          first === "refused" ? "border-failed bg-failed-soft" : "border-delivered bg-delivered-soft",
        )}
      >
        {first && t(`src.first.${first}`)}
      </p>
      {newest && nowhere && (
        <div className="mb-2 flex flex-wrap items-center gap-3 rounded border-retrying border-l-2 bg-retrying-soft px-3 py-2">
          <p className="min-w-0 flex-1 basis-64">{t("src.nowhere")}</p>
          <Button onClick={onDestinations}>{t("src.tab.endpoints")}</Button>
        </div>
      )}
      {newest ? (
        <>
          <ul className="overflow-hidden rounded border border-line bg-surface">
            {found.data.data.map((request) => (
              <li key={request.id} className="border-line border-b last:border-b-0">
                <PlainLink
                  to="/requests"
                  search={{ q: `source:${source.id}`, open: request.id }}
                  className="flex min-h-(--row) flex-wrap items-center gap-x-4 gap-y-0.5 px-3 py-1 hover:bg-sunken"
                >
                  <span className="w-28">
                    <StatusMark status={markOf(request.state)}>{t(`request.state.${request.state}`)}</StatusMark>
                  </span>
                  <span className="min-w-0 flex-1 basis-40 truncate">
                    {request.state === "refused" ? request.detail || request.reason : request.eventType}
                  </span>
                  <span className="data text-ink-3">{bytes(request.bodySize)}</span>
                  <Time at={request.receivedAt} className="w-20 text-end text-ink-2" />
                </PlainLink>
              </li>
            ))}
          </ul>
          <p className="mt-2">
            <Link to="/requests" search={{ q: `source:${source.id}` }}>
              {t("src.inspect.all")}
            </Link>
          </p>
        </>
      ) : (
        <EmptyState
          title={t(source.cron ? "src.listen.cron" : "src.listen")}
          text={source.cron ? undefined : t(type.samples.length > 0 ? "src.listen.text" : "src.listen.plain")}
          command={source.ingestUrl ? sampleCommand(type, source.ingestUrl) : undefined}
          listening
        />
      )}
    </>
  );
}
