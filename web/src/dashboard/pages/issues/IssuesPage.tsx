import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { SearchBar } from "@/dashboard/search/SearchBar";
import type { ApiError } from "@/lib/api";
import { number } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { type Column, DataList, SplitPane } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Badge, StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { IssueDetail } from "./IssueDetail";
import { type Issue, issueFields, issuesQuery } from "./queries";

const route = getRouteApi("/shell/issues");

const columns = (): readonly Column<Issue>[] => [
  {
    id: "state",
    header: t("issue.col.state"),
    width: "6.5rem",
    cell: (row) => <StatusMark status={row.state} />,
  },
  {
    id: "text",
    header: t("issue.col.cause"),
    width: "minmax(9rem, 2fr)",
    cell: (row) => (
      <span title={row.text}>
        {row.text} {row.healedAt && <Badge tone="good">{t("issue.healed")}</Badge>}
      </span>
    ),
  },
  {
    id: "endpoint",
    header: t("issue.col.endpoint"),
    width: "minmax(8rem, 2fr)",
    wide: true,
    cell: (row) => (
      <span title={row.endpointUrl}>
        {row.endpointUrl.replace(/^https:\/\//, "") || row.endpointId}
        <span className="ml-2 text-ink-3">{row.appName}</span>
      </span>
    ),
  },
  {
    id: "failures",
    header: t("issue.col.failures"),
    width: "5rem",
    align: "end",
    cell: (row) => <span className="data">{number(row.failures)}</span>,
  },
  { id: "last", header: t("issue.col.last"), width: "6rem", cell: (row) => <Time at={row.lastSeen} /> },
];

/** Failures grouped by endpoint and cause. */
export function Issues() {
  const { q = "state:open", open } = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(issuesQuery(q));
  const fields = useQuery(issueFields);
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const show = (id: string | undefined) => void navigate({ search: (old) => ({ ...old, open: id }) });
  const find = (next: string) =>
    void navigate({ search: { q: next || "state:open OR state:muted OR state:resolved" }, replace: true });
  const error = query.error as ApiError | null;
  const misread = error !== null && (error.status === 400 || error.status === 422);
  const empty = query.isPending ? (
    <Skeleton rows={8} />
  ) : error ? null : q === "state:open" ? (
    <EmptyState
      title={t("issue.empty.title")}
      text={t("issue.empty.text")}
      action={<Button onClick={() => find("state:muted OR state:resolved")}>{t("issue.showEnded")}</Button>}
      listening
    />
  ) : (
    <EmptyState
      title={t("issue.none")}
      action={<Button onClick={() => find("state:open")}>{t("issue.showOpen")}</Button>}
    />
  );
  const list = (
    <>
      <div className="px-3 py-2">
        <SearchBar
          label={t("issue.search")}
          name="issues"
          value={q}
          onChange={find}
          fields={fields.data?.fields ?? []}
          error={misread ? error : undefined}
        />
      </div>
      {error && !misread && rows.length > 0 && <ErrorText error={error} />}
      {error && !misread && rows.length === 0 ? (
        <ErrorState error={error} retry={() => void query.refetch()} />
      ) : (
        <DataList
          label={t("nav.issues")}
          rows={rows}
          columns={columns()}
          id={(row) => row.id}
          open={open}
          onOpen={(row) => show(row.id)}
          more={query.hasNextPage}
          loadingMore={query.isFetchingNextPage}
          onMore={() => void query.fetchNextPage()}
          empty={empty}
        />
      )}
    </>
  );
  return (
    <Page fill title={t("nav.issues")}>
      <SplitPane
        name="issues"
        list={list}
        detail={open ? <IssueDetail key={open} id={open} onClose={() => show(undefined)} /> : null}
        onClose={() => show(undefined)}
      />
    </Page>
  );
}
