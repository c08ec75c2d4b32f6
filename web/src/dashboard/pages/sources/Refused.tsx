import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Eraser } from "lucide-react";
import { useState } from "react";
import { api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Link } from "@/ui/Link";
import { Section } from "@/ui/Page";
import { EmptyState, ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";
import { refusedQuery, type Source, sourceChanged } from "./queries";

interface RefusedProps {
  source: Source;
  /** Why this reader may remove nothing. */
  reason?: string;
}

/** What the source did not believe or take, and why. */
export function Refused({ source, reason }: RefusedProps) {
  const client = useQueryClient();
  const found = useInfiniteQuery(refusedQuery(source.id));
  const [purging, setPurging] = useState(false);
  const rows = found.data?.pages.flatMap((page) => page.data) ?? [];
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
  if (!found.data) return <Skeleton rows={5} />;
  if (rows.length === 0)
    return <EmptyState title={t("src.refused.none")} text={t("src.refused.none.text")} listening />;
  return (
    <Section
      title={t("src.refused")}
      text={t("src.refused.text")}
      actions={
        <Button icon={Eraser} reason={reason} onClick={() => setPurging(true)}>
          {t("src.purge")}
        </Button>
      }
    >
      {found.error && <ErrorText error={found.error} />}
      <ol className="overflow-hidden rounded border border-line bg-surface">
        {rows.map((request) => (
          <li key={request.id} className="border-line border-b px-3 py-2 last:border-b-0">
            <RefusedRow request={request} />
          </li>
        ))}
      </ol>
      {found.hasNextPage && (
        <Button className="mt-2" busy={found.isFetchingNextPage} onClick={() => void found.fetchNextPage()}>
          {t("src.refused.more")}
        </Button>
      )}
      <ConfirmDialog
        open={purging}
        onClose={() => setPurging(false)}
        title={t("src.purge.title")}
        text={t("src.purge.text")}
        verb={t("src.purge")}
        onConfirm={purge}
      />
    </Section>
  );
}

/** One refused request: the reason, what the diagnosis found, and the way to it. */
function RefusedRow({ request }: { request: Schema<"RequestFacts"> }) {
  return (
    <>
      <p className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
        <Link to="/requests" search={{ q: `source:${request.sourceId} state:refused`, open: request.id }}>
          {request.detail || request.reason}
        </Link>
        <span className="data text-ink-3 text-xs">{request.reason}</span>
        <span className="flex-1" />
        <span className="data text-ink-3">
          {request.method} {request.status}
        </span>
        <span className="data hidden text-ink-3 sm:inline">{request.remote}</span>
        <Time at={request.receivedAt} className="w-20 text-end text-ink-2" />
      </p>
      {request.findings.length > 0 && (
        <ul className="mt-1 flex flex-col gap-1" aria-label={t("src.refused.findings")}>
          {request.findings.map((finding) => (
            <li key={finding.code} className="border-retrying border-l-2 pl-2 text-ink-2">
              {finding.text}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
