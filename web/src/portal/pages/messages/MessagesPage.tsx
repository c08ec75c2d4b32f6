import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { X } from "lucide-react";
import { t } from "@/lib/i18n";
import type { Row } from "@/parts/message/attempts";
import { Deliveries } from "@/parts/message/Deliveries";
import { DeliveryMarks } from "@/parts/message/DeliveryMarks";
import { useMessages } from "@/parts/message/live";
import { Payload } from "@/parts/message/Payload";
import { bodyQuery, messageQuery } from "@/parts/message/queries";
import { ResendMenu } from "@/parts/message/ResendMenu";
import { useCan } from "@/portal/config";
import { IconButton } from "@/ui/Button";
import { CopyId } from "@/ui/Copy";
import { type Column, DataList, NewRows, SplitPane } from "@/ui/list";
import { Page } from "@/ui/Page";
import { Select } from "@/ui/Select";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { Tabs } from "@/ui/Tabs";
import { Time } from "@/ui/Time";

const route = getRouteApi("/shell/messages");
const states = ["", "status:failed", "status:retrying", "status:delivered"] as const;
type Filter = (typeof states)[number];

const columns = (): readonly Column<Row>[] => [
  {
    id: "time",
    header: t("msg.col.time"),
    width: "6.5rem",
    cell: (row) => <Time at={row.timestamp} />,
  },
  { id: "type", header: t("msg.col.type"), width: "minmax(8rem, 2fr)", cell: (row) => row.eventType },
  {
    id: "delivery",
    header: t("msg.col.delivery"),
    width: "minmax(8rem, 12rem)",
    cell: (row) => <DeliveryMarks row={row} />,
  },
];

/** What was sent to the customer's endpoints. */
export function Messages() {
  const { q = "", open } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = states.find((one) => one === q) ?? "";
  const { query, rows, fresh, show } = useMessages(filter);
  const look = (id: string | undefined) => void navigate({ search: (old) => ({ ...old, open: id, tab: undefined }) });
  const list = (
    <>
      <div className="w-56 px-3 py-2">
        <Select
          label={t("portal.filter")}
          value={filter}
          onChange={(next: Filter) => void navigate({ search: { q: next || undefined } })}
          options={[
            { value: "", label: t("portal.filter.all") },
            { value: "status:failed", label: t("state.failed") },
            { value: "status:retrying", label: t("state.retrying") },
            { value: "status:delivered", label: t("state.delivered") },
          ]}
        />
      </div>
      {query.error && rows.length === 0 ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : (
        <DataList
          label={t("nav.messages")}
          rows={rows}
          columns={columns()}
          id={(row) => row.id}
          open={open}
          onOpen={(row) => look(row.id)}
          more={query.hasNextPage}
          loadingMore={query.isFetchingNextPage}
          onMore={() => void query.fetchNextPage()}
          notice={<NewRows n={fresh} onShow={show} />}
          empty={
            query.isPending ? (
              <Skeleton rows={6} />
            ) : (
              <EmptyState title={t(filter === "" ? "portal.messages.empty" : "msg.none")} listening />
            )
          }
        />
      )}
    </>
  );
  return (
    <Page fill title={t("nav.messages")}>
      <div className="flex h-[75dvh] min-h-96 flex-col">
        <SplitPane
          name="portal-messages"
          list={list}
          detail={open ? <Detail key={open} id={open} onClose={() => look(undefined)} /> : null}
          onClose={() => look(undefined)}
        />
      </div>
    </Page>
  );
}

function Detail({ id, onClose }: { id: string; onClose(): void }) {
  const { data, error, refetch } = useQuery(messageQuery(id));
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  return data ? <Loaded message={data} onClose={onClose} /> : <Skeleton className="p-3" />;
}

const tabs = ["deliveries", "payload"] as const;

function Loaded({ message, onClose }: { message: Row; onClose(): void }) {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const may = useCan("CreateAttempts");
  const open = tabs.find((one) => one === tab) ?? "deliveries";
  const body = useQuery(bodyQuery(message.appId, message.id, open === "payload" && !message.payloadExpired));
  return (
    <>
      <header className="flex shrink-0 flex-wrap items-center gap-2 px-3 py-2">
        <h2 className="min-w-0 truncate font-semibold text-lg">{message.eventType}</h2>
        <CopyId id={message.id} />
        <span className="flex-1" />
        {may && <ResendMenu message={message} />}
        <IconButton icon={X} label={t("pane.close")} onClick={onClose} />
        <p className="w-full text-ink-2">
          {t("msg.accepted")} <Time at={message.timestamp} as="exact" />
        </p>
      </header>
      <Tabs
        label={t("msg.parts")}
        value={open}
        onChange={(next) =>
          void navigate({ search: (old) => ({ ...old, tab: next === "deliveries" ? undefined : next }), replace: true })
        }
        tabs={tabs.map((value) => ({ value, label: t(`msg.tab.${value}`) }))}
        className="flex-1"
      >
        {open === "deliveries" && <Deliveries message={message} />}
        {open === "payload" && <Payload message={message} body={body} raw={false} />}
      </Tabs>
    </>
  );
}
