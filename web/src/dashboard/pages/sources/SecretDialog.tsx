import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { elsewhere, faultIn } from "@/parts/endpoint/form";
import { Button } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextArea } from "@/ui/Field";
import { Select } from "@/ui/Select";
import { ErrorText } from "@/ui/States";
import { toast } from "@/ui/Toast";
import { type Source, type SourceType, sourceChanged } from "./queries";

const graces = {
  "0": "src.grace.none",
  "3600": "src.grace.hour",
  "86400": "src.grace.day",
  "604800": "src.grace.week",
} as const;
type Grace = keyof typeof graces;

interface SecretDialogProps {
  source: Source;
  type: SourceType;
  onClose(): void;
  onSaved(): void;
}

/** Gives the provider's secret, or a new one while the old one still counts. */
export function SecretDialog({ source, type, onClose, onSaved }: SecretDialogProps) {
  const client = useQueryClient();
  const first = source.secrets.length === 0;
  const [value, setValue] = useState("");
  const [grace, setGrace] = useState<Grace>("86400");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const body = { value: value.trim(), ...(!first && { gracePeriodSeconds: Number(grace) }) };
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    ok(api.POST("/ingest/api/v1/source/{source}/secret/rotate", { params: { path: { source: source.id } }, body }))
      .then(
        async () => {
          await sourceChanged(client, source.id);
          toast(t("src.secret.saved"));
          onSaved();
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
      title={t(first ? "src.secret.give" : "src.secret.rotate")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button look="primary" type="submit" form="secret" busy={busy} disabled={value.trim() === ""}>
            {t("do.save")}
          </Button>
        </>
      }
    >
      <form id="secret" onSubmit={save} className="flex flex-col gap-4">
        <Field label={t("src.secret")} hint={type.secretHelp} error={faultIn(error, "value")}>
          <TextArea
            mono
            rows={2}
            autoFocus
            autoComplete="off"
            spellCheck={false}
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        </Field>
        {!first && (
          <Field label={t("src.grace")} hint={t("src.grace.hint")} className="max-w-sm">
            <Select
              label={t("src.grace")}
              value={grace}
              onChange={(next) => setGrace(next as Grace)}
              options={(Object.keys(graces) as Grace[])
                .sort((a, b) => Number(a) - Number(b))
                .map((one) => ({ value: one, label: t(graces[one]) }))}
            />
          </Field>
        )}
      </form>
      {error && elsewhere(error, ["value"]) && <ErrorText error={error} />}
      <FromCode
        call={{
          method: "POST",
          path: `ingest/api/v1/source/${source.id}/secret/rotate`,
          body: JSON.stringify({ ...body, value: "…" }),
        }}
      />
    </Dialog>
  );
}
