import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useEffect } from "react";
import { SearchBar } from "@/dashboard/search/SearchBar";
import { useMay } from "@/dashboard/session";
import type { ApiError } from "@/lib/api";
import { serverURL } from "@/lib/base";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyId } from "@/ui/Copy";
import { type Column, DataList } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Badge, StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { type SourceRow, type SourceType, sourceFields, sourcesQuery, sourceTypesQuery } from "./queries";
import { markOf, secretMissing } from "./state";

const route = getRouteApi("/shell/sources");

const columns = (types: readonly SourceType[]): readonly Column<SourceRow>[] => [
  {
    id: "state",
    header: t("src.col.state"),
    width: "7.5rem",
    cell: (row) => <StatusMark status={row.disabled ? "disabled" : "active"} />,
  },
  {
    id: "name",
    header: t("src.name"),
    width: "minmax(6rem, 2fr)",
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
    wide: true,
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
  {
    id: "last",
    header: t("src.col.last"),
    width: "12.5rem",
    cell: ({ lastRequest: last }) =>
      last ? (
        <span className="flex items-center gap-2">
          <StatusMark status={markOf(last.state)}>{t(`request.state.${last.state}`)}</StatusMark>
          <Time at={last.receivedAt} className="text-ink-2" />
        </span>
      ) : (
        <span className="text-ink-3">{t("src.col.last.none")}</span>
      ),
  },
  { id: "id", header: "ID", width: "9.5rem", wide: true, cell: (row) => <CopyId id={row.id} /> },
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
  const { q = "", open } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("developer");
  const query = useInfiniteQuery(sourcesQuery(q));
  const types = useQuery(sourceTypesQuery);
  const fields = useQuery(sourceFields);
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const find = (next: string) => void navigate({ search: { q: next || undefined }, replace: q !== "" && next !== "" });
  // Ids from the palette and from other pages come as "open".
  useEffect(() => {
    if (open)
      void (open === "new"
        ? navigate({ to: "/sources/new", search: {}, replace: true })
        : navigate({ to: "/sources/$source", params: { source: open }, search: {}, replace: true }));
  }, [open, navigate]);
  const create = (text: string) => (
    <Button
      look="primary"
      icon={Plus}
      reason={may ? undefined : t("src.may")}
      onClick={() => void navigate({ to: "/sources/new", search: {} })}
    >
      {text}
    </Button>
  );
  const error = query.error as ApiError | null;
  const misread = error !== null && (error.status === 400 || error.status === 422) && q !== "";
  const empty = query.isPending ? (
    <Skeleton rows={8} />
  ) : error ? null : q === "" ? (
    <EmptyState
      title={t("src.empty.title")}
      text={t("src.empty.text")}
      action={create(t("src.empty.gallery"))}
      command={`grapnel sources create stripe --uid payments --server ${serverURL}`}
      listening
    />
  ) : (
    <EmptyState title={t("src.none")} action={<Button onClick={() => find("")}>{t("msg.clear")}</Button>} />
  );
  const nothing = q === "" && query.data !== undefined && rows.length === 0;
  return (
    <Page fill title={t("nav.sources")} actions={nothing ? undefined : create(t("src.new"))}>
      {!nothing && (
        <div className="flex items-start gap-2 px-3 pb-2">
          <SearchBar
            label={t("src.search")}
            name="sources"
            value={q}
            onChange={find}
            fields={fields.data?.fields ?? []}
            error={misread ? error : undefined}
          />
        </div>
      )}
      {error && !misread && rows.length > 0 && <ErrorText error={error} />}
      {error && !misread && rows.length === 0 ? (
        <ErrorState error={error} retry={() => void query.refetch()} />
      ) : rows.length === 0 ? (
        empty
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
        />
      )}
    </Page>
  );
}
