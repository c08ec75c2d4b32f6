import { useInfiniteQuery } from "@tanstack/react-query";
import { useSession } from "@/dashboard/session";
import { api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { type Column, DataList } from "@/ui/list";
import { Section } from "@/ui/Page";
import { EmptyState, ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Badge } from "@/ui/Status";
import { Time } from "@/ui/Time";

type Entry = Schema<"AuditOut">;

const auditQuery = {
  queryKey: ["audit"],
  queryFn: ({ pageParam, signal }: { pageParam: string | undefined; signal: AbortSignal }) =>
    ok(api.GET("/api/v1/audit", { params: { query: { limit: 100, iterator: pageParam } }, signal })),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page: Schema<"ListAuditOut">) => (page.done ? undefined : (page.iterator ?? undefined)),
};

const columns = (environments: ReadonlyMap<string, string>): readonly Column<Entry>[] => [
  { id: "at", header: t("msg.col.time"), width: "6rem", cell: (row) => <Time at={row.at} /> },
  {
    id: "actor",
    header: t("audit.who"),
    width: "minmax(8rem, 1.5fr)",
    cell: (row) => (
      <span title={row.actor.id ?? undefined}>
        {row.actor.name || row.actor.id} <Badge>{t(`audit.${row.actor.kind}` as "audit.key")}</Badge>
      </span>
    ),
  },
  {
    id: "action",
    header: t("audit.what"),
    width: "minmax(8rem, 1.5fr)",
    cell: (row) => <span className="data">{row.action}</span>,
  },
  {
    id: "target",
    header: t("audit.target"),
    width: "minmax(8rem, 3fr)",
    wide: true,
    cell: (row) => (
      <span className="data text-ink-2" title={row.target}>
        {row.target}
      </span>
    ),
  },
  {
    id: "environment",
    header: t("audit.environment"),
    width: "minmax(5rem, 1fr)",
    wide: true,
    cell: (row) => (row.environment ? (environments.get(row.environment) ?? row.environment) : "–"),
  },
  {
    id: "address",
    header: t("session.address"),
    width: "8rem",
    wide: true,
    cell: (row) => <span className="data">{row.address}</span>,
  },
];

/** Who changed what, and who looked at secrets. */
export function Audit() {
  const found = useInfiniteQuery(auditQuery);
  const environments = new Map(useSession().data?.environments?.map(({ id, name }) => [id, name]));
  const rows = found.data?.pages.flatMap((page) => page.data) ?? [];
  return (
    <Section title={t("set.tab.audit")} text={t("audit.text")}>
      {found.error && rows.length > 0 && <ErrorText error={found.error} />}
      {found.error && rows.length === 0 ? (
        <ErrorState error={found.error} retry={() => void found.refetch()} />
      ) : (
        <div className="flex h-[65dvh] min-h-80 flex-col">
          <DataList
            label={t("set.tab.audit")}
            rows={rows}
            columns={columns(environments)}
            id={(row) => row.id}
            more={found.hasNextPage}
            loadingMore={found.isFetchingNextPage}
            onMore={() => void found.fetchNextPage()}
            empty={found.isPending ? <Skeleton rows={8} /> : <EmptyState title={t("audit.none")} />}
          />
        </div>
      )}
    </Section>
  );
}
