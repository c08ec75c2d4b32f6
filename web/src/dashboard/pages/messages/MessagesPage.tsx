import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { GitCompare, Send } from "lucide-react";
import { useState } from "react";
import { SavedViews } from "@/dashboard/search/SavedViews";
import { SearchBar } from "@/dashboard/search/SearchBar";
import { useMay } from "@/dashboard/session";
import type { ApiError } from "@/lib/api";
import { serverURL } from "@/lib/base";
import { count } from "@/lib/format";
import { t } from "@/lib/i18n";
import { useShortcuts } from "@/lib/keyboard";
import type { Row } from "@/parts/message/attempts";
import { DeliveryMarks } from "@/parts/message/DeliveryMarks";
import { Due } from "@/parts/message/Due";
import { useMessages } from "@/parts/message/live";
import { Button } from "@/ui/Button";
import { type Column, DataList, NewRows, SplitPane } from "@/ui/list";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { Time } from "@/ui/Time";
import { CompareMessages } from "./CompareMessages";
import { MessageDetail } from "./MessageDetail";
import { fieldsQuery, messageCount } from "./queries";
import { SendDialog } from "./SendDialog";

const route = getRouteApi("/shell/messages");

const columns: readonly Column<Row>[] = [
  {
    id: "time",
    header: <T k="msg.col.time" />,
    width: "5.5rem",
    cell: (row) => <Time at={row.timestamp} as="clock" />,
  },
  {
    id: "type",
    header: <T k="msg.col.type" />,
    width: "minmax(8rem, 2fr)",
    cell: (row) => <span title={row.eventType}>{row.eventType}</span>,
  },
  {
    id: "app",
    header: <T k="msg.col.app" />,
    width: "minmax(5rem, 1fr)",
    wide: true,
    cell: (row) => <span className="text-ink-2">{row.appName || row.appId}</span>,
  },
  {
    id: "delivery",
    header: <T k="msg.col.delivery" />,
    width: "minmax(9rem, 12rem)",
    cell: (row) => <DeliveryMarks row={row} />,
  },
  {
    id: "next",
    header: <T k="msg.col.next" />,
    width: "5.5rem",
    wide: true,
    cell: (row) => row.nextAttemptAt && <Due at={row.nextAttemptAt} />,
  },
];

/** A text that is looked up when it is drawn, so that it follows the language. */
function T({ k }: { k: "msg.col.time" | "msg.col.type" | "msg.col.app" | "msg.col.delivery" | "msg.col.next" }) {
  return t(k);
}

/** Every message of the environment. */
export function Messages() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const q = search.q ?? "";
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const may = useMay("developer");
  const sending = search.open === "new" && may;
  const fields = useQuery(fieldsQuery("messages"));
  const { query, rows, fresh, show } = useMessages(q);
  const find = (next: string) => void navigate({ search: { q: next || undefined }, replace: q !== "" && next !== "" });
  const open = (id: string | undefined) =>
    void navigate({
      search: (old) => ({ ...old, open: id, diff: undefined }),
      replace: search.open !== undefined && id !== undefined,
    });
  const pair = [...marked];
  const compare = () =>
    pair.length === 2 && void navigate({ search: (old) => ({ ...old, open: pair[0], diff: pair[1] }) });
  useShortcuts([{ keys: "d", label: t("msg.compare"), run: compare }], pair.length === 2);

  const error = query.error as ApiError | null;
  const misread = error !== null && (error.status === 400 || error.status === 422) && q !== "";
  const last = query.data?.pages.at(-1);
  const empty =
    query.isPending || query.isPlaceholderData ? (
      <Skeleton rows={12} />
    ) : error ? null : q === "" ? (
      <Nothing onSend={() => open("new")} />
    ) : (
      <NoMatch onClear={() => find("")} />
    );
  const list = (
    <>
      <div className="flex flex-wrap items-start gap-2 px-3 py-2">
        <SearchBar
          label={t("msg.search")}
          name="messages"
          value={q}
          onChange={find}
          fields={fields.data?.fields ?? []}
          error={misread ? error : undefined}
        />
        <SavedViews list="messages" q={q} onOpen={find} />
        <Button icon={GitCompare} onClick={compare} reason={pair.length === 2 ? undefined : t("msg.compare.hint")}>
          {t("msg.compare")}
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
        label={t("nav.messages")}
        rows={rows}
        columns={columns}
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
      <CompareMessages left={search.open} right={search.diff} onClose={() => open(undefined)} />
    ) : search.open && search.open !== "new" ? (
      <MessageDetail key={search.open} id={search.open} onClose={() => open(undefined)} />
    ) : null;
  return (
    <Page
      fill
      title={t("nav.messages")}
      actions={
        <Button look="primary" icon={Send} onClick={() => open("new")} reason={may ? undefined : t("send.may")}>
          {t("msg.send")}
        </Button>
      }
    >
      <SplitPane name="messages" list={list} detail={detail} onClose={() => open(undefined)} />
      {sending && <SendDialog onClose={() => open(undefined)} onOpen={open} />}
    </Page>
  );
}

function Nothing({ onSend }: { onSend(): void }) {
  return (
    <EmptyState
      title={t("msg.empty.title")}
      text={t("msg.empty.text")}
      action={
        <Button icon={Send} onClick={onSend}>
          {t("msg.send")}
        </Button>
      }
      command={`grapnel send invoice.paid --server ${serverURL} -d '{"amount":1200}'`}
      listening
    />
  );
}

function NoMatch({ onClear }: { onClear(): void }) {
  const all = useQuery(messageCount);
  return (
    <EmptyState
      title={t("msg.none")}
      text={all.data && t("msg.none.without", { count: count(all.data.count, all.data.more) })}
      action={<Button onClick={onClear}>{t("msg.clear")}</Button>}
      listening
    />
  );
}
