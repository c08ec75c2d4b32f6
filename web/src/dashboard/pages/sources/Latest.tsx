import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Eraser } from "lucide-react";
import { useState } from "react";
import { api, ok } from "@/lib/api";
import { bytes } from "@/lib/format";
import { t } from "@/lib/i18n";
import { useLive } from "@/lib/live";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Link, PlainLink } from "@/ui/Link";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";
import { latestQuery, type Source, type SourceType, sourceChanged } from "./queries";
import { sampleCommand } from "./sample";

interface LatestProps {
  source: Source;
  type: SourceType;
  /** What arrives goes nowhere yet. */
  nowhere: boolean;
  /** Why this reader may remove nothing. */
  reason?: string;
}

/** What reached the source last; it listens, and fills itself. */
export function Latest({ source, type, nowhere, reason }: LatestProps) {
  const client = useQueryClient();
  const [purging, setPurging] = useState(false);
  const query = latestQuery(source.id);
  const found = useQuery(query);
  useLive((event) => {
    if (event.more || event.requests?.some(({ sourceId }) => sourceId === source.id))
      void client.invalidateQueries({ queryKey: query.queryKey });
  });
  const purge = async () => {
    let removed = 0;
    for (let done = false; !done; ) {
      const slice = await ok(
        api.POST("/ingest/api/v1/source/{source}/request/purge", {
          params: { path: { source: source.id } },
          body: {},
        }),
      );
      removed += slice.removed;
      done = slice.done;
    }
    toast(t("src.purge.done", { n: removed }));
    await Promise.all([sourceChanged(client, source.id), client.invalidateQueries({ queryKey: ["requests"] })]);
  };
  if (found.error && !found.data) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton rows={3} />;
  if (found.data.data.length === 0)
    return (
      <EmptyState
        title={t(source.cron ? "src.listen.cron" : "src.listen")}
        text={source.cron ? undefined : t("src.listen.text")}
        command={source.ingestUrl ? sampleCommand(type, source.ingestUrl) : undefined}
        listening
      />
    );
  return (
    <>
      {nowhere && (
        <p className="mb-2 rounded border-retrying border-l-2 bg-retrying-soft px-3 py-2">{t("src.nowhere")}</p>
      )}
      <ul className="overflow-hidden rounded border border-line bg-surface">
        {found.data.data.map((request) => (
          <li key={request.id} className="border-line border-b last:border-b-0">
            <PlainLink
              to="/requests"
              search={{ q: `source:${source.id}`, open: request.id }}
              className="flex min-h-(--row) flex-wrap items-center gap-x-4 gap-y-0.5 px-3 py-1 hover:bg-sunken"
            >
              <span className="w-28">
                <StatusMark status={request.state === "duplicate_differs" ? "duplicate" : request.state}>
                  {t(`request.state.${request.state}`)}
                </StatusMark>
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
      <div className="mt-2 flex flex-wrap items-center gap-3">
        <Link to="/requests" search={{ q: `source:${source.id}` }}>
          {t("src.inspect")}
        </Link>
        <span className="flex-1" />
        <Button icon={Eraser} reason={reason} onClick={() => setPurging(true)}>
          {t("src.purge")}
        </Button>
      </div>
      <ConfirmDialog
        open={purging}
        onClose={() => setPurging(false)}
        title={t("src.purge.title")}
        text={t("src.purge.text")}
        verb={t("src.purge")}
        onConfirm={purge}
      />
    </>
  );
}
