import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { GitCompare } from "lucide-react";
import { useState } from "react";
import { SavedViews } from "@/dashboard/search/SavedViews";
import { SearchBar } from "@/dashboard/search/SearchBar";
import type { ApiError } from "@/lib/api";
import { bytes } from "@/lib/format";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import { Button } from "@/ui/Button";
import { Link } from "@/ui/Link";
import { type Column, DataList, NewRows, SplitPane } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { CompareRequests } from "./CompareRequests";
import { useRequests } from "./live";
import { type RequestRow, requestFields } from "./queries";
import { RequestDetail } from "./RequestDetail";
import { markOf, stateText } from "./state";

const route = getRouteApi("/shell/requests");

const columns = (): readonly Column<RequestRow>[] => [
  {
    id: "time",
    header: t("msg.col.time"),
    width: "5.5rem",
    cell: (row) => <Time at={row.receivedAt} as="clock" />,
  },
  {
    id: "state",
    header: t("req.col.state"),
    width: "8rem",
    cell: (row) => <StatusMark status={markOf(row.state)}>{stateText(row.state)}</StatusMark>,
  },
  {
    id: "what",
    header: t("req.col.what"),
    width: "minmax(8rem, 2fr)",
    cell: (row) => {
      const text = row.state === "refused" ? row.detail || row.reason : row.eventType || row.reason;
      return (
        <span title={text} className={row.state === "refused" ? "text-ink-2" : undefined}>
          {text}
        </span>
      );
    },
  },
  {
    id: "source",
    header: t("req.col.source"),
    width: "minmax(5rem, 1fr)",
    wide: true,
    cell: (row) => <span className="text-ink-2">{row.sourceName || row.sourceId}</span>,
  },
  {
    id: "size",
    header: t("msg.size"),
    width: "4.5rem",
    align: "end",
    wide: true,
    cell: (row) => <span className="data">{bytes(row.bodySize)}</span>,
  },
];

/** Every request that reached a source of the environment. */
export function Requests() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const q = search.q ?? "";
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const fields = useQuery(requestFields);
  const { query, rows, fresh, show } = useRequests(q);
  const find = (next: string) => void navigate({ search: { q: next || undefined }, replace: q !== "" && next !== "" });
  const open = (id: string | undefined) =>
    void navigate({
      search: (old) => ({ ...old, open: id, diff: undefined }),
      replace: search.open !== undefined && id !== undefined,
    });
  const pair = [...marked];
  const compare = () =>
    pair.length === 2 && void navigate({ search: (old) => ({ ...old, open: pair[0], diff: pair[1] }) });
  useShortcuts([{ keys: "d", label: t("req.compare"), run: compare }], pair.length === 2);

  const error = query.error as ApiError | null;
  const misread = error !== null && (error.status === 400 || error.status === 422) && q !== "";
  const last = query.data?.pages.at(-1);
  const empty =
    query.isPending || query.isPlaceholderData ? (
      <Skeleton rows={12} />
    ) : error ? null : q === "" ? (
      <EmptyState
        title={t("req.empty.title")}
        text={t("req.empty.text")}
        action={
          <Link to="/sources" search={{}}>
            {t("req.empty.sources")}
          </Link>
        }
        listening
      />
    ) : (
      <EmptyState title={t("req.none")} action={<Button onClick={() => find("")}>{t("msg.clear")}</Button>} listening />
    );
  const list = (
    <>
      <div className="flex flex-wrap items-start gap-2 px-3 py-2">
        <SearchBar
          label={t("req.search")}
          name="requests"
          value={q}
          onChange={find}
          fields={fields.data?.fields ?? []}
          error={misread ? error : undefined}
        />
        <SavedViews list="requests" q={q} onOpen={find} />
        <Button icon={GitCompare} onClick={compare} reason={pair.length === 2 ? undefined : t("msg.compare.hint")}>
          {t("req.compare")}
        </Button>
      </div>
      {error &&
        !misread &&
        (rows.length === 0 ? (
          <ErrorState error={error} retry={() => void query.refetch()} />
        ) : (
          <ErrorText error={error} />
        ))}
      <DataList
        label={t("nav.requests")}
        rows={rows}
        columns={columns()}
        id={(row) => row.id}
        open={search.open}
        onOpen={(row) => open(row.id)}
        marked={marked}
        onMark={setMarked}
        more={query.hasNextPage && !last?.searchedTo}
        loadingMore={query.isFetchingNextPage}
        onMore={() => void query.fetchNextPage()}
        notice={<NewRows n={fresh} onShow={show} />}
        empty={empty}
      />
      {last?.searchedTo && (
        <div role="status" className="flex items-center gap-3 border-line border-t px-3 py-1.5 text-ink-2">
          <span>{t("msg.searchedTo", { time: new Date(last.searchedTo).toLocaleString() })}</span>
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("msg.goOn")}
          </Button>
        </div>
      )}
    </>
  );
  const detail =
    search.open && search.diff ? (
      <CompareRequests left={search.open} right={search.diff} onClose={() => open(undefined)} />
    ) : search.open ? (
      <RequestDetail key={search.open} id={search.open} onClose={() => open(undefined)} />
    ) : null;
  return (
    <Page fill title={t("nav.requests")}>
      <SplitPane name="requests" list={list} detail={detail} onClose={() => open(undefined)} />
    </Page>
  );
}
