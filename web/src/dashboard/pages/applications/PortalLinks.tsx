import { ExternalLink, LogOut } from "lucide-react";
import { useState } from "react";
import { useMay } from "@/dashboard/session";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Choice";
import { CopyButton } from "@/ui/Copy";
import { FromCode } from "@/ui/code";
import { ConfirmDialog } from "@/ui/Dialog";
import { Field } from "@/ui/Field";
import { Select } from "@/ui/Select";
import { ErrorText } from "@/ui/States";
import { toast } from "@/ui/Toast";

const capabilities = [
  "ViewBase",
  "ViewEndpointSecret",
  "ManageEndpointSecret",
  "CreateAttempts",
  "ManageEndpoint",
] as const;
type Capability = (typeof capabilities)[number];
const lives = { "3600": "app.portal.hour", "86400": "app.portal.day", "604800": "app.portal.week" } as const;

/** Makes links that open the portal as this customer, and ends them. */
export function PortalLinks({ app }: { app: Schema<"ApplicationOut"> }) {
  const may = useMay("developer");
  const [chosen, setChosen] = useState<ReadonlySet<Capability>>(new Set(capabilities));
  const [life, setLife] = useState<keyof typeof lives>("86400");
  const [link, setLink] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [ending, setEnding] = useState(false);
  const readOnly = chosen.size === 1 && chosen.has("ViewBase");
  const body = { capabilities: capabilities.filter((one) => chosen.has(one)), expiry: Number(life) };
  const toggle = (one: Capability, on: boolean) => {
    const next = new Set(chosen);
    if (on) next.add(one);
    else next.delete(one);
    setChosen(next.add("ViewBase")); // without it nothing can be seen at all
  };
  const make = () => {
    setBusy(true);
    setError(null);
    ok(api.POST("/api/v1/auth/app-portal-access/{app}", { params: { path: { app: app.id } }, body }))
      .then(
        (made) => setLink(made.url),
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  const end = async () => {
    await ok(api.POST("/api/v1/auth/app/{app}/expire-all", { params: { path: { app: app.id } }, body: {} }));
    setLink("");
    toast(t("app.portal.ended"));
  };
  return (
    <div className="flex max-w-2xl flex-col items-start gap-4 py-4">
      <p className="text-base text-ink-2">{t("app.portal.text")}</p>
      <fieldset className="flex flex-col gap-1" disabled={!may}>
        <legend className="pb-1 font-medium">{t("app.portal.may")}</legend>
        <Checkbox
          label={t("app.portal.readOnly")}
          checked={readOnly}
          onChange={(on) => setChosen(new Set(on ? ["ViewBase"] : capabilities))}
        />
        {capabilities.map((one) => (
          <Checkbox
            key={one}
            label={t(`app.cap.${one}`)}
            checked={chosen.has(one)}
            disabled={one === "ViewBase"}
            onChange={(on) => toggle(one, on)}
          />
        ))}
      </fieldset>
      <Field label={t("app.portal.life")} className="w-40">
        <Select
          label={t("app.portal.life")}
          value={life}
          onChange={(next) => setLife(next as keyof typeof lives)}
          options={Object.entries(lives).map(([value, key]) => ({ value: value as keyof typeof lives, label: t(key) }))}
        />
      </Field>
      <div className="flex flex-wrap gap-2">
        <Button look="primary" busy={busy} onClick={make} reason={may ? undefined : t("app.may")}>
          {t("app.portal.make")}
        </Button>
        <Button look="danger" icon={LogOut} onClick={() => setEnding(true)} reason={may ? undefined : t("app.may")}>
          {t("app.portal.end")}
        </Button>
      </div>
      {error && <ErrorText error={error} />}
      {link && (
        <div role="status" className="flex w-full flex-col gap-2 rounded border border-line bg-sunken p-3">
          <p className="text-ink-2">{t("app.portal.once")}</p>
          <p className="data break-all">{link}</p>
          <div className="flex flex-wrap gap-2">
            <CopyButton text={link} withLabel />
            <Button icon={ExternalLink} onClick={() => window.open(link, "_blank", "noopener,noreferrer")}>
              {t("app.portal.open")}
            </Button>
          </div>
        </div>
      )}
      <FromCode
        call={{
          method: "POST",
          path: `api/v1/auth/app-portal-access/${app.uid ? encodeURIComponent(app.uid) : app.id}`,
          body: JSON.stringify(body),
        }}
      />
      <ConfirmDialog
        open={ending}
        onClose={() => setEnding(false)}
        title={t("app.portal.end")}
        text={t("app.portal.end.text")}
        verb={t("app.portal.end")}
        onConfirm={end}
      />
    </div>
  );
}
