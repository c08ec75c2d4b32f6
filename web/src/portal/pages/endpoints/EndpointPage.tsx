import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Ban, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { AttemptsAt } from "@/parts/endpoint/AttemptsAt";
import { EndpointForm } from "@/parts/endpoint/EndpointForm";
import { FirstSteps } from "@/parts/endpoint/FirstSteps";
import { HeadersPanel } from "@/parts/endpoint/HeadersPanel";
import { HealthPanel } from "@/parts/endpoint/HealthPanel";
import { rangeOf } from "@/parts/endpoint/health";
import { type Endpoint, endpointChanged, endpointQuery } from "@/parts/endpoint/queries";
import { RecoverPanel } from "@/parts/endpoint/RecoverPanel";
import { SecretPanel } from "@/parts/endpoint/SecretPanel";
import { StateNote } from "@/parts/endpoint/StateNote";
import { TestSend } from "@/parts/endpoint/TestSend";
import { useCan, useConfig, useShown } from "@/portal/config";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Page, Section } from "@/ui/Page";
import { EmptyState, ErrorState, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Tabs } from "@/ui/Tabs";
import { toast } from "@/ui/Toast";

const route = getRouteApi("/shell/endpoints/$endpoint");
const tabs = ["overview", "attempts", "test", "recover", "settings", "security"] as const;
type Tab = (typeof tabs)[number];

/** One endpoint of the customer. */
export function EndpointPage() {
  const { endpoint } = route.useParams();
  const { app } = useConfig();
  const found = useQuery({ ...endpointQuery(app.id, endpoint), refetchInterval: 10_000 });
  if (found.error && !found.data) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  return found.data ? <Loaded app={app.id} endpoint={found.data} /> : <Skeleton className="p-4" />;
}

function Loaded({ app, endpoint }: { app: string; endpoint: Endpoint }) {
  const { tab, status, range, since, until } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const [dialog, setDialog] = useState<"disable" | "delete" | null>(null);
  const manage = useCan("ManageEndpoint");
  const attempts = useCan("CreateAttempts");
  const may: Record<Tab, boolean> = {
    overview: true,
    attempts: useShown("messages"),
    test: useShown("test") && attempts,
    recover: useShown("recover") && attempts,
    settings: manage,
    security: useCan("ViewEndpointSecret"),
  };
  const shown = tabs.filter((one) => may[one]);
  const open = shown.find((one) => one === tab) ?? "overview";
  const show = (next: Tab) => void navigate({ search: { tab: next === "overview" ? undefined : next }, replace: true });
  const params = { path: { app, ep: endpoint.id } };
  const state = endpoint.disabled ? "disabled" : endpoint.failingSince ? "failing" : "active";
  return (
    <Page
      title={endpoint.url.replace(/^https?:\/\//, "")}
      actions={
        <>
          <StatusMark status={state} />
          {manage && !endpoint.disabled && (
            <Button icon={Ban} onClick={() => setDialog("disable")}>
              {t("do.disable")}
            </Button>
          )}
          {manage && (
            <Button look="danger" icon={Trash2} onClick={() => setDialog("delete")}>
              {t("do.delete")}
            </Button>
          )}
        </>
      }
    >
      <div className="pb-2 empty:hidden">
        <StateNote
          appId={app}
          endpoint={endpoint}
          reason={manage ? undefined : t("portal.may")}
          recoverReason={may.recover ? undefined : t("portal.may")}
          onRecover={may.recover && open !== "recover" ? () => show("recover") : undefined}
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
              endpointId={endpoint.id}
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
                status === undefined && since === undefined && <EmptyState title={t("ep.attempts.empty")} listening />
              }
            />
          </div>
        ) : open === "overview" ? (
          <div className="flex flex-col">
            {may.security && (
              <FirstSteps appId={app} endpoint={endpoint} onTest={may.test ? () => show("test") : undefined} />
            )}
            <Section title={t("ep.health.title")}>
              <HealthPanel
                appId={app}
                endpointId={endpoint.id}
                url={endpoint.url}
                range={rangeOf(range)}
                onRange={(next) =>
                  void navigate({
                    search: (old) => ({ ...old, range: next === "day" ? undefined : next }),
                    replace: true,
                  })
                }
              />
            </Section>
          </div>
        ) : (
          <div className="max-w-3xl py-4">
            {open === "test" && <TestSend appId={app} endpoint={endpoint} />}
            {open === "recover" && <RecoverPanel appId={app} endpoint={endpoint} />}
            {open === "settings" && <Settings app={app} endpoint={endpoint} />}
            {open === "security" && <Security app={app} endpoint={endpoint} />}
          </div>
        )}
      </Tabs>
      <ConfirmDialog
        open={dialog === "disable"}
        onClose={() => setDialog(null)}
        title={t("ep.disable")}
        text={t("ep.disable.text")}
        verb={t("do.disable")}
        onConfirm={async () => {
          await ok(api.PATCH("/api/v1/app/{app}/endpoint/{ep}", { params, body: { disabled: true } }));
          await endpointChanged(client, endpoint.id);
        }}
      />
      <ConfirmDialog
        open={dialog === "delete"}
        onClose={() => setDialog(null)}
        title={t("ep.delete")}
        text={t("ep.delete.text")}
        verb={t("do.delete")}
        onConfirm={async () => {
          await ok(api.DELETE("/api/v1/app/{app}/endpoint/{ep}", { params }));
          void client.invalidateQueries({ queryKey: ["endpoints"] });
          void navigate({ to: "/endpoints", search: {} });
        }}
      />
    </Page>
  );
}

function Settings({ app, endpoint }: { app: string; endpoint: Endpoint }) {
  const { theme } = useConfig();
  return (
    <EndpointForm
      key={endpoint.updatedAt}
      appId={app}
      endpoint={endpoint}
      hide={theme.hide ?? []}
      onSaved={() => toast(t("ep.saved"))}
    />
  );
}

function Security({ app, endpoint }: { app: string; endpoint: Endpoint }) {
  const rotate = useCan("ManageEndpointSecret");
  const manage = useCan("ManageEndpoint");
  const headers = useShown("headers");
  return (
    <>
      <Section title={t("ep.secret")} text={t("ep.secret.text")}>
        <SecretPanel appId={app} endpointId={endpoint.id} rotateReason={rotate ? undefined : t("portal.may")} snippet />
      </Section>
      {headers && (
        <Section title={t("ep.headers")}>
          <HeadersPanel appId={app} endpointId={endpoint.id} reason={manage ? undefined : t("portal.may")} />
        </Section>
      )}
    </>
  );
}
