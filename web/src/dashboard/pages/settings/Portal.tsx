import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useEnvironment } from "@/dashboard/session";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { elsewhere } from "@/parts/endpoint/form";
import { Button } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Section } from "@/ui/Page";
import { ErrorState, ErrorText, Skeleton } from "@/ui/States";
import { toast } from "@/ui/Toast";
import { Embed } from "./Embed";
import { PortalFields } from "./PortalFields";
import { PortalPreview } from "./PortalPreview";
import { accents, draftOf, patchOf, readable } from "./theme";

const settingsQuery = (env: string) =>
  queryOptions({
    queryKey: ["settings", env],
    queryFn: ({ signal }) => ok(api.GET("/api/v1/settings", { signal })),
    enabled: env !== "",
    placeholderData: undefined,
  });

/** How the portal of this environment looks to customers, and which pages may show it. */
export function Portal() {
  const env = useEnvironment();
  const found = useQuery(settingsQuery(env?.id ?? ""));
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data || !env) return <Skeleton rows={8} />;
  return (
    <>
      <Form key={found.data.updatedAt ?? ""} settings={found.data} env={env.id} />
      <Section title={t("portalset.embed")} text={t("portalset.embed.text")}>
        <Embed env={env.id} />
      </Section>
    </>
  );
}

function Form({ settings, env }: { settings: Schema<"SettingsOut">; env: string }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(settings));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const both = accents(draft);
  const body = patchOf(draft);
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    ok(api.PATCH("/api/v1/settings", { body }))
      .then(
        (saved) => {
          client.setQueryData(settingsQuery(env).queryKey, saved);
          toast(t("set.saved"));
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Section title={t("portalset.title")} text={t("portalset.text")}>
      <div className="grid gap-x-8 gap-y-6 xl:grid-cols-[minmax(0,36rem)_minmax(20rem,1fr)]">
        <form onSubmit={save} className="flex min-w-0 flex-col gap-4" aria-label={t("portalset.title")}>
          <PortalFields
            draft={draft}
            set={(change) => setDraft((old) => ({ ...old, ...change }))}
            accents={both}
            error={error}
          />
          {error && elsewhere(error, ["portal", "portalOrigins"]) && <ErrorText error={error} />}
          <div>
            <Button
              look="primary"
              type="submit"
              busy={busy}
              reason={readable(both.light) && readable(both.dark) ? undefined : t("portalset.unreadable")}
            >
              {t("do.save")}
            </Button>
          </div>
          <FromCode call={{ method: "PATCH", path: "api/v1/settings", body: JSON.stringify(body, null, 2) }} />
        </form>
        <PortalPreview draft={draft} />
      </div>
    </Section>
  );
}
