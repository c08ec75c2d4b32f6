import { useInfiniteQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import type { Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { resultOf, succeeded, tookOf } from "@/parts/message/attempts";
import { IconButton } from "@/ui/Button";
import { type Column, DataList, NewRows } from "@/ui/list";
import { Select } from "@/ui/Select";
import { ErrorState, Skeleton } from "@/ui/States";
import { Mark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { type AttemptFilter, attemptsAtQuery } from "./queries";

type Attempt = Schema<"MessageAttemptOut">;

interface AttemptsAtProps {
  appId: string;
  endpointId: string;
  /** "0" success, "2" failed; kept in the address by the page. */
  status?: AttemptFilter["status"];
  onStatus(status: AttemptFilter["status"]): void;
  /** A range of time, RFC 3339, and how it is left again. */
  since?: string;
  until?: string;
  onAllTimes?(): void;
  onOpen(attempt: Attempt): void;
  /** In place of rows where there are none. */
  empty?: ReactNode;
}

const columns = (): readonly Column<Attempt>[] => [
  { id: "at", header: t("msg.col.time"), width: "5.5rem", cell: (row) => <Time at={row.timestamp} as="clock" /> },
  {
    id: "result",
    header: t("ep.col.result"),
    width: "minmax(5rem, 9rem)",
    cell: (row) => (
      <span className="flex items-center gap-2">
        <Mark status={succeeded(row) ? "delivered" : "failed"} />
        <span className="data truncate">{resultOf(row)}</span>
      </span>
    ),
  },
  {
    id: "type",
    header: t("msg.col.type"),
    width: "minmax(6rem, 1fr)",
    cell: (row) => <span title={row.msg?.eventType}>{row.msg?.eventType}</span>,
  },
  {
    id: "number",
    header: t("msg.attempt"),
    width: "4.5rem",
    align: "end",
    wide: true,
    cell: (row) => <span className="data">{row.attemptNumber}</span>,
  },
  {
    id: "took",
    header: t("ep.col.took"),
    width: "5rem",
    align: "end",
    cell: (row) => <span className="data">{tookOf(row)}</span>,
  },
];

/** Attempts at one endpoint, newest first. New ones are put in only while the reader is at the top. */
export function AttemptsAt(props: AttemptsAtProps) {
  const { appId, endpointId, status, onStatus, since, until, onAllTimes, onOpen, empty } = props;
  const query = useInfiniteQuery(attemptsAtQuery(appId, endpointId, { status, since, until }));
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const [atTop, setAtTop] = useState(true);
  const seen = useRef<ReadonlySet<string>>(new Set());
  const newest = rows[0]?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is in sight changes with the newest row and with the place
  useEffect(() => {
    if (atTop) seen.current = new Set(rows.map((row) => row.id));
  }, [atTop, newest, status, since, until, rows.length]);
  // Away from the top, what came before the first row in sight waits.
  const first = atTop
    ? 0
    : Math.max(
        0,
        rows.findIndex((row) => seen.current.has(row.id)),
      );
  if (query.error && rows.length === 0) {
    return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  }
  return (
    <div className="flex min-h-0 min-w-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-2 px-3 py-2">
        <div className="w-44">
          <Select
            label={t("ep.filter.status")}
            value={status ?? "all"}
            onChange={(next) => onStatus(next === "all" ? undefined : (next as AttemptFilter["status"]))}
            options={[
              { value: "all", label: t("ep.filter.all") },
              { value: "0", label: t("state.delivered") },
              { value: "2", label: t("state.failed") },
            ]}
          />
        </div>
        {since && until && (
          <span className="inline-flex items-center rounded-sm bg-sunken pl-2">
            <Time at={since} as="exact" />
            <span className="px-1">–</span>
            <Time at={until} as="exact" />
            <IconButton icon={X} label={t("ep.filter.anyTime")} onClick={onAllTimes} />
          </span>
        )}
      </div>
      <DataList
        label={t("ep.attempts")}
        rows={rows.slice(first)}
        columns={columns()}
        id={(row) => row.id}
        onOpen={onOpen}
        onTop={setAtTop}
        more={query.hasNextPage}
        loadingMore={query.isFetchingNextPage}
        onMore={() => void query.fetchNextPage()}
        notice={<NewRows n={first} onShow={() => setAtTop(true)} />}
        empty={
          query.isPending ? <Skeleton rows={8} /> : (empty ?? <p className="p-4 text-ink-2">{t("ep.attempts.none")}</p>)
        }
      />
    </div>
  );
}
