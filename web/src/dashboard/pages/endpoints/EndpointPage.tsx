import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Ban, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { useMay, useSession } from "@/dashboard/session";
import { api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { AttemptsAt } from "@/parts/endpoint/AttemptsAt";
import { rangeOf } from "@/parts/endpoint/health";
import { endpointChanged, ofSource } from "@/parts/endpoint/queries";
import { RecoverPanel } from "@/parts/endpoint/RecoverPanel";
import { StateNote } from "@/parts/endpoint/StateNote";
import { TestSend } from "@/parts/endpoint/TestSend";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Link } from "@/ui/Link";
import { Page } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Tabs } from "@/ui/Tabs";
import { toast } from "@/ui/Toast";
import { TypedConfirm } from "@/ui/TypedConfirm";
import { Overview } from "./Overview";
import { anyEndpointQuery, type EndpointRow } from "./queries";
import { Settings } from "./Settings";

const route = getRouteApi("/shell/endpoints/$endpoint");
const tabs = ["overview", "attempts", "test", "recover", "settings", "security"] as const;
type Tab = (typeof tabs)[number];

/** One endpoint: how it is, what was sent to it, and what can be done with it. */
export function EndpointPage() {
  const { endpoint } = route.useParams();
  const found = useQuery(anyEndpointQuery(endpoint));
  if (found.error && !found.data) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  return found.data ? <Loaded row={found.data} /> : <Skeleton className="p-4" />;
}

function Loaded({ row }: { row: EndpointRow }) {
  const { tab, status, range, since, until } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const may = useMay("developer");
  const hidden = useSession().data?.member?.mayReadPayloads === false;
  const [dialog, setDialog] = useState<"disable" | "delete" | null>(null);
  const reason = may ? undefined : t("ep.may");
  const app = row.appId;
  const shown = tabs.filter((one) => one !== "test" || !ofSource(app));
  const open: Tab = shown.find((one) => one === tab) ?? "overview";
  const show = (next: Tab) => void navigate({ search: { tab: next === "overview" ? undefined : next }, replace: true });
  const params = { path: { app, ep: row.id } };
  const disable = async () => {
    await ok(api.PATCH("/api/v1/app/{app}/endpoint/{ep}", { params, body: { disabled: true } }));
    await endpointChanged(client, row.id);
  };
  const remove = async () => {
    await ok(api.DELETE("/api/v1/app/{app}/endpoint/{ep}", { params }));
    toast(t("ep.deleted"));
    await navigate({ to: "/endpoints", search: {} });
    await endpointChanged(client, row.id);
  };
  const messageLink = (message: string) => (
    <Link to="/messages" search={{ open: message }}>
      {t("ep.toMessage")}
    </Link>
  );
  return (
    <Page
      title={row.url.replace(/^https:\/\//, "")}
      actions={
        <>
          <StatusMark status={row.state} />
          {!row.disabled && (
            <Button icon={Ban} reason={reason} onClick={() => setDialog("disable")}>
              {t("do.disable")}
            </Button>
          )}
          <Button look="danger" icon={Trash2} reason={reason} onClick={() => setDialog("delete")}>
            {t("do.delete")}
          </Button>
          {!ofSource(app) && open !== "test" && (
            <Button look="primary" icon={Send} onClick={() => show("test")}>
              {t("ep.test.send")}
            </Button>
          )}
        </>
      }
    >
      <div className="pb-2 empty:hidden">
        <StateNote
          appId={app}
          endpoint={row}
          reason={reason}
          recoverReason={reason}
          onRecover={open === "recover" ? undefined : () => show("recover")}
        />
      </div>
      <Tabs
        label={t("ep.tab")}
        value={open}
        onChange={show}
        tabs={shown.map((value) => ({ value, label: t(`ep.tab.${value}`) }))}
      >
        {open === "attempts" ? (
          <div className="flex h-[70dvh] min-h-80 flex-col">
            <AttemptsAt
              appId={app}
              endpointId={row.id}
              status={status === "0" || status === "2" ? status : undefined}
              since={since}
              until={until}
              onAllTimes={() =>
                void navigate({ search: (old) => ({ ...old, since: undefined, until: undefined }), replace: true })
              }
              onStatus={(next) => void navigate({ search: (old) => ({ ...old, status: next }), replace: true })}
              onOpen={(attempt) =>
                void navigate({
                  to: "/messages/$message/attempt/$attempt",
                  params: { message: attempt.msgId, attempt: attempt.id },
                  search: {},
                })
              }
              empty={
                status === undefined && since === undefined ? (
                  <EmptyState title={t("ep.attempts.empty")} listening />
                ) : undefined
              }
            />
          </div>
        ) : (
          <div className={open === "overview" || open === "security" ? undefined : "py-4"}>
            {open === "overview" && (
              <Overview
                row={row}
                reason={reason}
                range={rangeOf(range)}
                onCell={(from, to) =>
                  void navigate({
                    search: { tab: "attempts", since: from.toISOString(), until: to.toISOString() },
                  })
                }
                onRange={(next) =>
                  void navigate({
                    search: (old) => ({ ...old, range: next === "day" ? undefined : next }),
                    replace: true,
                  })
                }
              />
            )}
            {open === "test" && (
              <TestSend appId={app} endpoint={row} reason={reason} messageLink={messageLink} hidden={hidden} code />
            )}
            {open === "recover" && <RecoverPanel appId={app} endpoint={row} reason={reason} code />}
            {(open === "settings" || open === "security") && <Settings row={row} part={open} reason={reason} />}
          </div>
        )}
      </Tabs>
      <ConfirmDialog
        open={dialog === "disable"}
        onClose={() => setDialog(null)}
        title={t("ep.disable")}
        text={t("ep.disable.text")}
        verb={t("do.disable")}
        onConfirm={disable}
      />
      <TypedConfirm
        open={dialog === "delete"}
        onClose={() => setDialog(null)}
        name={new URL(row.url).host}
        title={t("ep.delete")}
        text={t("ep.delete.text")}
        verb={t("do.delete")}
        onConfirm={remove}
      />
    </Page>
  );
}
