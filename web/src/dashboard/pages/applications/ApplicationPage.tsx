import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Pencil, Send, Trash2 } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/dashboard/session";
import { api, ok, type Schema } from "@/lib/api";
import { number } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { CopyId } from "@/ui/Copy";
import { FromCode } from "@/ui/code";
import { Facts, Page } from "@/ui/Page";
import { ErrorState, Skeleton } from "@/ui/States";
import { Tabs } from "@/ui/Tabs";
import { Time } from "@/ui/Time";
import { toast } from "@/ui/Toast";
import { TypedConfirm } from "@/ui/TypedConfirm";
import { SendDialog } from "../messages/SendDialog";
import { ApplicationForm } from "./ApplicationForm";
import { EndpointsOf, MessagesOf } from "./Lists";
import { PortalLinks } from "./PortalLinks";
import { applicationQuery } from "./queries";

const route = getRouteApi("/shell/applications/$app");
const tabs = ["endpoints", "messages", "portal", "code"] as const;

/** One customer: endpoints, messages, and links to the portal. */
export function ApplicationPage() {
  const { app: id } = route.useParams();
  const found = useQuery(applicationQuery(id));
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  return found.data ? <Loaded app={found.data} /> : <Skeleton className="p-4" />;
}

function Loaded({ app }: { app: Schema<"ApplicationOut"> }) {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const may = useMay("developer");
  const [dialog, setDialog] = useState<"edit" | "delete" | "send" | null>(null);
  const open = tabs.find((one) => one === tab) ?? "endpoints";
  const reason = may ? undefined : t("app.may");
  const remove = async () => {
    await ok(api.DELETE("/api/v1/app/{app}", { params: { path: { app: app.id } } }));
    void client.invalidateQueries({ queryKey: ["applications"] });
    toast(t("app.deleted"));
    void navigate({ to: "/applications", search: {} });
  };
  return (
    <Page
      title={app.name}
      actions={
        <>
          <Button icon={Pencil} onClick={() => setDialog("edit")} reason={reason}>
            {t("do.edit")}
          </Button>
          <Button look="danger" icon={Trash2} onClick={() => setDialog("delete")} reason={reason}>
            {t("do.delete")}
          </Button>
          <Button look="primary" icon={Send} onClick={() => setDialog("send")} reason={may ? undefined : t("send.may")}>
            {t("msg.send")}
          </Button>
        </>
      }
    >
      <Facts
        className="pb-4"
        items={[
          ["ID", <CopyId key="i" id={app.id} full />],
          [t("app.col.uid"), app.uid && <CopyId key="u" id={app.uid} full />],
          [t("app.throttle"), app.throttleRate === null ? t("app.throttle.none") : number(app.throttleRate)],
          ...Object.entries(app.metadata).map(
            ([name, value]) =>
              [
                <span key={name} className="data">
                  {name}
                </span>,
                value,
              ] as const,
          ),
          [t("app.col.created"), <Time key="c" at={app.createdAt} as="exact" />],
        ]}
      />
      <Tabs
        label={t("app.tab")}
        value={open}
        onChange={(next) => void navigate({ search: { tab: next }, replace: true })}
        tabs={tabs.map((value) => ({ value, label: t(`app.tab.${value}`) }))}
      >
        {open === "endpoints" && <EndpointsOf app={app} />}
        {open === "messages" && <MessagesOf app={app} />}
        {open === "portal" && <PortalLinks app={app} />}
        {open === "code" && (
          <div className="py-4">
            <FromCode call={{ method: "GET", path: `api/v1/app/${app.uid ? encodeURIComponent(app.uid) : app.id}` }} />
          </div>
        )}
      </Tabs>
      {dialog === "edit" && <ApplicationForm app={app} onClose={() => setDialog(null)} />}
      {dialog === "send" && (
        <SendDialog
          app={app.id}
          onClose={() => setDialog(null)}
          onOpen={(message) => void navigate({ to: "/messages", search: { open: message } })}
        />
      )}
      <TypedConfirm
        open={dialog === "delete"}
        onClose={() => setDialog(null)}
        name={app.name}
        title={t("app.delete")}
        text={t("app.delete.text")}
        verb={t("do.delete")}
        onConfirm={remove}
      />
    </Page>
  );
}
