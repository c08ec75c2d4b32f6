import { infiniteQueryOptions, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useEffect } from "react";
import { api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { EndpointForm } from "@/parts/endpoint/EndpointForm";
import type { Endpoint } from "@/parts/endpoint/queries";
import { useCan, useConfig } from "@/portal/config";
import { Button } from "@/ui/Button";
import { Dialog } from "@/ui/Dialog";
import { type Column, DataList } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Time } from "@/ui/Time";

const route = getRouteApi("/shell/endpoints");

const endpointsQuery = (app: string) =>
  infiniteQueryOptions({
    queryKey: ["endpoints", app],
    queryFn: ({ pageParam, signal }) =>
      ok(
        api.GET("/api/v1/app/{app}/endpoint", {
          params: { path: { app }, query: { limit: 100, iterator: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => (page.done ? undefined : (page.iterator ?? undefined)),
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : 10_000),
  });

const stateOf = (row: Endpoint) => (row.disabled ? "disabled" : row.failingSince ? "failing" : "active");

const columns = (): readonly Column<Endpoint>[] => [
  { id: "state", header: t("ep.col.state"), width: "6.5rem", cell: (row) => <StatusMark status={stateOf(row)} /> },
  { id: "url", header: t("ep.url"), width: "minmax(9rem, 2fr)", cell: (row) => <span title={row.url}>{row.url}</span> },
  {
    id: "description",
    header: t("ep.description"),
    width: "minmax(6rem, 1fr)",
    wide: true,
    cell: (row) => <span className="text-ink-2">{row.description}</span>,
  },
  {
    id: "types",
    header: t("ep.types"),
    width: "minmax(6rem, 1fr)",
    wide: true,
    cell: (row) => (
      <span className="text-ink-2">{row.eventTypes === null ? t("app.allTypes") : row.eventTypes.join(", ")}</span>
    ),
  },
  {
    id: "since",
    header: t("app.col.created"),
    width: "6rem",
    wide: true,
    cell: (row) => <Time at={row.createdAt} className="text-ink-2" />,
  },
];

/** Where this customer receives webhooks. */
export function Endpoints() {
  const { open } = route.useSearch();
  const navigate = route.useNavigate();
  const { app, theme } = useConfig();
  const may = useCan("ManageEndpoint");
  const query = useInfiniteQuery(endpointsQuery(app.id));
  const rows = query.data?.pages.flatMap((page) => page.data) ?? [];
  const show = (endpoint: string) => void navigate({ to: "/endpoints/$endpoint", params: { endpoint }, search: {} });
  const make = (on: boolean) => void navigate({ search: (old) => ({ ...old, open: on ? "new" : undefined }) });
  // Links from messages name the endpoint as "open".
  useEffect(() => {
    if (open?.startsWith("ep_"))
      void navigate({ to: "/endpoints/$endpoint", params: { endpoint: open }, search: {}, replace: true });
  }, [open, navigate]);
  const create = may ? (
    <Button look="primary" icon={Plus} onClick={() => make(true)}>
      {t("ep.new")}
    </Button>
  ) : undefined;
  if (query.error && rows.length === 0) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  return (
    <Page fill title={t("nav.endpoints")} actions={create}>
      <DataList
        label={t("nav.endpoints")}
        rows={rows}
        columns={columns()}
        id={(row) => row.id}
        onOpen={(row) => show(row.id)}
        more={query.hasNextPage}
        loadingMore={query.isFetchingNextPage}
        onMore={() => void query.fetchNextPage()}
        empty={
          query.isPending ? (
            <Skeleton rows={5} />
          ) : (
            <EmptyState title={t("portal.endpoints.empty")} text={t("portal.endpoints.empty.text")} action={create} />
          )
        }
      />
      {open === "new" && may && (
        <Dialog open onClose={() => make(false)} size="medium" title={t("ep.new")}>
          <EndpointForm
            appId={app.id}
            hide={theme.hide ?? []}
            onSaved={(made) => {
              void query.refetch();
              show(made.id);
            }}
            onCancel={() => make(false)}
          />
        </Dialog>
      )}
    </Page>
  );
}
