import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useEffect } from "react";
import { SearchBar } from "@/dashboard/search/SearchBar";
import { useMay } from "@/dashboard/session";
import type { ApiError } from "@/lib/api";
import { serverURL } from "@/lib/base";
import { duration, share } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { HealthStrip } from "@/ui/chart";
import { type Column, DataList } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";
import { NewEndpoint } from "./NewEndpoint";
import { type EndpointRow, endpointFields, endpointsQuery } from "./queries";

const route = getRouteApi("/shell/endpoints");

const columns = (): readonly Column<EndpointRow>[] => [
  { id: "state", header: t("ep.col.state"), width: "6.5rem", cell: (row) => <StatusMark status={row.state} /> },
  {
    id: "url",
    header: t("ep.url"),
    width: "minmax(8rem, 2fr)",
    cell: (row) => (
      <span title={row.url}>
        {row.url.replace(/^https:\/\//, "")}
        {row.description && <span className="ml-2 text-ink-3">{row.description}</span>}
      </span>
    ),
  },
  {
    id: "app",
    header: t("msg.col.app"),
    width: "minmax(5rem, 1fr)",
    wide: true,
    cell: (row) => <span className="text-ink-2">{row.appName || row.appId}</span>,
  },
  {
    id: "health",
    header: t("ep.health"),
    width: "10rem",
    wide: true,
    cell: (row) => <HealthStrip hours={row.health.hours} label={row.url} />,
  },
  {
    id: "delivered",
    header: t("ep.health.delivered"),
    width: "5.5rem",
    align: "end",
    cell: (row) => (
      <span className="data">
        {row.health.attempts === 0 ? "–" : share(row.health.succeeded / row.health.attempts)}
      </span>
    ),
  },
  {
    id: "p95",
    header: t("ep.health.p95"),
    width: "5.5rem",
    align: "end",
    wide: true,
    cell: (row) => <span className="data">{row.health.p95Ms === null ? "–" : duration(row.health.p95Ms)}</span>,
  },
  {
    id: "since",
    header: t("ep.col.since"),
    width: "6rem",
    wide: true,
    cell: (row) => <Since row={row} />,
  },
];

function Since({ row }: { row: EndpointRow }) {
  const at = row.disabled ? row.disabledAt : row.failingSince;
  return at && <Time at={at} className="text-ink-2" />;
}

/** Everywhere that webhooks are sent to. */
export function Endpoints() {
  const { q = "", open } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useMay("developer");
  const query = useInfiniteQuery(endpointsQuery(q));
  const fields = useQuery(endpointFields);
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const show = (endpoint: string) => void navigate({ to: "/endpoints/$endpoint", params: { endpoint }, search: {} });
  const find = (next: string) => void navigate({ search: { q: next || undefined }, replace: q !== "" && next !== "" });
  const making = open === "new" && may;
  const make = (on: boolean) => void navigate({ search: (old) => ({ ...old, open: on ? "new" : undefined }) });
  // Ids from the palette and from other pages come as "open".
  useEffect(() => {
    if (open?.startsWith("ep_"))
      void navigate({ to: "/endpoints/$endpoint", params: { endpoint: open }, search: {}, replace: true });
  }, [open, navigate]);
  const create = (
    <Button look="primary" icon={Plus} onClick={() => make(true)} reason={may ? undefined : t("ep.may")}>
      {t("ep.new")}
    </Button>
  );
  const error = query.error as ApiError | null;
  const misread = error !== null && (error.status === 400 || error.status === 422) && q !== "";
  const empty = query.isPending ? (
    <Skeleton rows={8} />
  ) : error ? null : q === "" ? (
    <EmptyState
      title={t("ep.empty.title")}
      text={t("ep.empty.text")}
      command={`curl ${serverURL}/api/v1/app/$APP/endpoint -H "Authorization: Bearer $GRAPNEL_API_KEY" --json '{"url":"https://example.com/webhooks"}'`}
      listening
    />
  ) : (
    <EmptyState title={t("ep.none")} action={<Button onClick={() => find("")}>{t("msg.clear")}</Button>} />
  );
  return (
    <Page fill title={t("nav.endpoints")} actions={create}>
      <div className="flex items-start gap-2 px-3 pb-2">
        <SearchBar
          label={t("ep.search")}
          name="endpoints"
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
          label={t("nav.endpoints")}
          rows={rows}
          columns={columns()}
          id={(row) => row.id}
          onOpen={(row) => show(row.id)}
          more={query.hasNextPage}
          loadingMore={query.isFetchingNextPage}
          onMore={() => void query.fetchNextPage()}
          empty={empty}
        />
      )}
      {making && <NewEndpoint q={q} onClose={() => make(false)} onMade={show} />}
    </Page>
  );
}
