import { useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { Ban, Inbox, Play, Trash2 } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/dashboard/session";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { ConfirmDialog } from "@/ui/Dialog";
import { Page } from "@/ui/Page";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { StatusMark } from "@/ui/Status";
import { Tabs } from "@/ui/Tabs";
import { toast } from "@/ui/Toast";
import { TypedConfirm } from "@/ui/TypedConfirm";
import { Destinations } from "./Destinations";
import { Overview } from "./Overview";
import { type Source, type SourceType, sourceChanged, sourceQuery, sourceTypesQuery } from "./queries";
import { Refused } from "./Refused";
import { Security } from "./Security";
import { SourceForm } from "./SourceForm";

const route = getRouteApi("/shell/sources/$source");
const tabs = ["overview", "endpoints", "refused", "settings", "security"] as const;
type Tab = (typeof tabs)[number];

/** One source: its URL, what reached it, where that goes. */
export function SourcePage() {
  const { source: id } = route.useParams();
  const found = useQuery(sourceQuery(id));
  const types = useQuery(sourceTypesQuery);
  const error = found.error ?? types.error;
  if (error && !found.data) return <ErrorState error={error} retry={() => void found.refetch()} />;
  const type = types.data?.find(({ name }) => name === found.data?.provider);
  return found.data && type ? <Loaded source={found.data} type={type} /> : <Skeleton className="p-4" />;
}

function Loaded({ source, type }: { source: Source; type: SourceType }) {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const client = useQueryClient();
  const may = useMay("developer");
  const [dialog, setDialog] = useState<"disable" | "delete" | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const reason = may ? undefined : t("src.may");
  const shown = tabs.filter((one) => (one !== "security" && one !== "refused") || type.name !== "cron");
  const open: Tab = shown.find((one) => one === tab) ?? "overview";
  const show = (next: Tab) => void navigate({ search: { tab: next === "overview" ? undefined : next }, replace: true });
  const params = { path: { source: source.id } };
  const setDisabled = async (disabled: boolean) => {
    setError(null);
    await ok(api.PATCH("/ingest/api/v1/source/{source}", { params, body: { disabled } }));
    await sourceChanged(client, source.id);
  };
  const remove = async () => {
    await ok(api.DELETE("/ingest/api/v1/source/{source}", { params }));
    toast(t("src.deleted"));
    await navigate({ to: "/sources", search: {} });
    await sourceChanged(client, source.id);
  };
  return (
    <Page
      title={source.name}
      actions={
        <>
          <StatusMark status={source.disabled ? "disabled" : "active"} />
          {source.disabled ? (
            <Button
              icon={Play}
              reason={reason}
              onClick={() => void setDisabled(false).catch((why: ApiError) => setError(why))}
            >
              {t("do.enable")}
            </Button>
          ) : (
            <Button icon={Ban} reason={reason} onClick={() => setDialog("disable")}>
              {t("do.disable")}
            </Button>
          )}
          <Button look="danger" icon={Trash2} reason={reason} onClick={() => setDialog("delete")}>
            {t("do.delete")}
          </Button>
          <Button
            look="primary"
            icon={Inbox}
            onClick={() => void navigate({ to: "/requests", search: { q: `source:${source.id}` } })}
          >
            {t("src.inspect")}
          </Button>
        </>
      }
    >
      {error && <ErrorText error={error} />}
      <Tabs
        label={t("src.tab")}
        value={open}
        onChange={show}
        tabs={shown.map((value) => ({ value, label: t(`src.tab.${value}`) }))}
      >
        <div className={open === "settings" ? "py-4" : undefined}>
          {open === "overview" && <Overview source={source} type={type} reason={reason} onShow={show} />}
          {open === "endpoints" && <Destinations source={source} reason={reason} onRoutes={() => show("settings")} />}
          {open === "refused" && <Refused source={source} reason={reason} />}
          {open === "settings" && (
            <SourceForm
              key={source.updatedAt}
              type={type}
              source={source}
              reason={reason}
              onSaved={() => toast(t("src.saved"))}
            />
          )}
          {open === "security" && <Security source={source} type={type} reason={reason} />}
        </div>
      </Tabs>
      <ConfirmDialog
        open={dialog === "disable"}
        onClose={() => setDialog(null)}
        title={t("src.disable")}
        text={t("src.disable.text")}
        verb={t("do.disable")}
        onConfirm={() => setDisabled(true)}
      />
      <TypedConfirm
        open={dialog === "delete"}
        onClose={() => setDialog(null)}
        name={source.name}
        title={t("src.delete")}
        text={t("src.delete.text")}
        verb={t("do.delete")}
        onConfirm={remove}
      />
    </Page>
  );
}
