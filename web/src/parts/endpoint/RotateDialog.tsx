import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { RadioGroup } from "@/ui/Choice";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { Select } from "@/ui/Select";
import { ErrorText } from "@/ui/States";
import { toast } from "@/ui/Toast";
import { elsewhere, faultIn } from "./form";

/** How long both keys sign, in seconds. */
const graces = {
  "0": "ep.rotate.grace.0",
  "3600": "ep.rotate.grace.hour",
  "86400": "ep.rotate.grace.day",
  "604800": "ep.rotate.grace.week",
} as const;
type Grace = keyof typeof graces;

interface RotateDialogProps {
  appId: string;
  endpointId: string;
  code?: boolean;
  onClose(): void;
  onRotated(): void;
}

/** Replaces the signing secret; both sign for a while, so that no delivery is refused meanwhile. */
export function RotateDialog({ appId, endpointId, code, onClose, onRotated }: RotateDialogProps) {
  const [own, setOwn] = useState(false);
  const [key, setKey] = useState("");
  const [grace, setGrace] = useState<Grace>("86400");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const seconds = Number(grace);
  const rotate = (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    ok(
      api.POST("/api/v1/app/{app}/endpoint/{ep}/secret/rotate", {
        params: { path: { app: appId, ep: endpointId } },
        body: { gracePeriodSeconds: seconds, ...(own && { key: key.trim() }) },
      }),
    )
      .then(
        () => {
          toast(t("ep.rotated"));
          onRotated();
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      open
      onClose={onClose}
      size="medium"
      title={t("ep.secret.rotate")}
      text={t("ep.rotate.text")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button look="primary" type="submit" form="rotate" busy={busy} disabled={own && key.trim() === ""}>
            {t("ep.rotate.do")}
          </Button>
        </>
      }
    >
      <form id="rotate" onSubmit={rotate} className="flex flex-col gap-4">
        <RadioGroup
          label={t("ep.rotate.new")}
          value={own ? "own" : "made"}
          onChange={(next) => setOwn(next === "own")}
          options={[
            { value: "made", label: t("ep.rotate.made"), hint: t("ep.rotate.made.hint") },
            { value: "own", label: t("ep.rotate.own") },
          ]}
        />
        {own && (
          <Field label={t("ep.rotate.key")} hint={t("ep.secret.own.hint")} error={faultIn(error, "key")}>
            <TextInput
              mono
              autoComplete="off"
              spellCheck={false}
              value={key}
              onChange={(event) => setKey(event.target.value)}
            />
          </Field>
        )}
        <Field
          label={t("ep.rotate.grace")}
          hint={seconds === 0 ? t("ep.rotate.grace.none") : t("ep.rotate.grace.hint")}
          error={faultIn(error, "gracePeriodSeconds")}
          className="max-w-sm"
        >
          <Select
            label={t("ep.rotate.grace")}
            value={grace}
            onChange={(next) => setGrace(next as Grace)}
            options={(Object.keys(graces) as Grace[])
              .sort((a, b) => Number(a) - Number(b))
              .map((value) => ({ value, label: t(graces[value]) }))}
          />
        </Field>
      </form>
      {error && elsewhere(error, ["key", "gracePeriodSeconds"]) && <ErrorText error={error} />}
      {code && (
        <FromCode
          call={{
            method: "POST",
            path: `api/v1/app/${appId}/endpoint/${endpointId}/secret/rotate`,
            body: JSON.stringify({ gracePeriodSeconds: seconds, ...(own && { key: "whsec_…" }) }),
          }}
        />
      )}
    </Dialog>
  );
}
