import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useEffect } from "react";
import { useMay } from "@/dashboard/session";
import { serverURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyId } from "@/ui/Copy";
import { type Column, DataList } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Badge, StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { type Source, type SourceType, sourcesQuery, sourceTypesQuery } from "./queries";
import { secretMissing } from "./state";

const route = getRouteApi("/shell/sources");

const columns = (types: readonly SourceType[]): readonly Column<Source>[] => [
  {
    id: "state",
    header: t("src.col.state"),
    width: "6.5rem",
    cell: (row) => <StatusMark status={row.disabled ? "disabled" : "active"} />,
  },
  {
    id: "name",
    header: t("src.name"),
    width: "minmax(8rem, 2fr)",
    cell: (row) => (
      <span title={row.name}>
        <span className="font-medium">{row.name}</span>
        {row.uid && <span className="data ml-2 text-ink-3">{row.uid}</span>}
      </span>
    ),
  },
  {
    id: "type",
    header: t("src.col.type"),
    width: "minmax(6rem, 1fr)",
    cell: (row) => {
      const type = types.find(({ name }) => name === row.provider);
      return (
        <span className="flex items-center gap-2">
          <span className="truncate">{type?.title ?? row.type}</span>
          {type && secretMissing(row, type) && <Badge tone="warn">{t("src.noSecret")}</Badge>}
        </span>
      );
    },
  },
  { id: "id", header: "ID", width: "9.5rem", wide: true, cell: (row) => <CopyId id={row.id} /> },
  {
    id: "routes",
    header: t("src.routes"),
    width: "7rem",
    align: "end",
    wide: true,
    cell: (row) => <span className="data">{row.routes.length || "–"}</span>,
  },
  {
    id: "created",
    header: t("src.col.created"),
    width: "6rem",
    wide: true,
    cell: (row) => <Time at={row.createdAt} />,
  },
];

/** The URLs that other people's webhooks are sent to. */
export function Sources() {
  const { open } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("developer");
  const query = useInfiniteQuery(sourcesQuery);
  const types = useQuery(sourceTypesQuery);
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  // Ids from the palette and from other pages come as "open".
  useEffect(() => {
    if (open)
      void (open === "new"
        ? navigate({ to: "/sources/new", search: {}, replace: true })
        : navigate({ to: "/sources/$source", params: { source: open }, search: {}, replace: true }));
  }, [open, navigate]);
  const create = (
    <Button
      look="primary"
      icon={Plus}
      reason={may ? undefined : t("src.may")}
      onClick={() => void navigate({ to: "/sources/new", search: {} })}
    >
      {t("src.new")}
    </Button>
  );
  return (
    <Page fill title={t("nav.sources")} actions={create}>
      {query.error && rows.length > 0 && <ErrorText error={query.error} />}
      {query.error && rows.length === 0 ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : (
        <DataList
          label={t("nav.sources")}
          rows={rows}
          columns={columns(types.data ?? [])}
          id={(row) => row.id}
          onOpen={(row) => void navigate({ to: "/sources/$source", params: { source: row.id }, search: {} })}
          more={query.hasNextPage}
          loadingMore={query.isFetchingNextPage}
          onMore={() => void query.fetchNextPage()}
          empty={
            query.isPending ? (
              <Skeleton rows={8} />
            ) : (
              <EmptyState
                title={t("src.empty.title")}
                text={t("src.empty.text")}
                command={`grapnel sources create stripe --uid payments --server ${serverURL}`}
              />
            )
          }
        />
      )}
    </Page>
  );
}
