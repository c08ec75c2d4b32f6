import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { linesText, readLines } from "@/lib/lines";
import { Button } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextArea, TextInput } from "@/ui/Field";
import { ErrorText } from "@/ui/States";
import { toast } from "@/ui/Toast";

interface ApplicationFormProps {
  /** The application to change; a new one is made without. */
  app?: Schema<"ApplicationOut">;
  onClose(): void;
  onSaved?(app: Schema<"ApplicationOut">): void;
}

/** Makes an application or changes one. */
export function ApplicationForm({ app, onClose, onSaved }: ApplicationFormProps) {
  const client = useQueryClient();
  const [name, setName] = useState(app?.name ?? "");
  const [uid, setUid] = useState(app?.uid ?? "");
  const [throttle, setThrottle] = useState(app?.throttleRate?.toString() ?? "");
  const [text, setText] = useState(linesText(app?.metadata ?? {}));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const metadata = readLines(text);
  const wrong = typeof metadata === "number" ? t("app.metadata.wrong", { line: metadata }) : undefined;
  const body = {
    name: name.trim(),
    uid: uid.trim() || null,
    throttleRate: throttle.trim() ? Number(throttle) : null,
    metadata: typeof metadata === "number" ? {} : metadata,
  };
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    if (wrong) return;
    setBusy(true);
    setError(null);
    const call = app
      ? api.PUT("/api/v1/app/{app}", { params: { path: { app: app.id } }, body })
      : api.POST("/api/v1/app", { body });
    ok(call)
      .then(
        (saved) => {
          void client.invalidateQueries({ queryKey: ["applications"] });
          client.setQueryData(["application", saved.id], saved);
          toast(t("app.saved"));
          onClose();
          onSaved?.(saved);
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
      title={app ? t("app.edit") : t("app.new")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button look="primary" type="submit" form="application" busy={busy} disabled={name.trim() === ""}>
            {app ? t("do.save") : t("do.create")}
          </Button>
        </>
      }
    >
      <form id="application" onSubmit={save} className="flex flex-col gap-4">
        <Field label={t("app.col.name")} error={error?.fault("name")}>
          <TextInput value={name} onChange={(event) => setName(event.target.value)} autoFocus />
        </Field>
        <Field label={t("app.col.uid")} optional hint={t("app.uid.hint")} error={error?.fault("uid")}>
          <TextInput mono value={uid} onChange={(event) => setUid(event.target.value)} />
        </Field>
        <Field label={t("app.throttle")} optional hint={t("app.throttle.hint")} error={error?.fault("throttleRate")}>
          <TextInput
            inputMode="numeric"
            value={throttle}
            onChange={(event) => setThrottle(event.target.value.replace(/\D/g, ""))}
          />
        </Field>
        <Field
          label={t("app.metadata")}
          optional
          hint={t("app.metadata.hint")}
          error={wrong ?? error?.fault("metadata")}
        >
          <TextArea mono rows={3} value={text} onChange={(event) => setText(event.target.value)} />
        </Field>
      </form>
      {error && error.faults.length === 0 && <ErrorText error={error} />}
      <FromCode
        call={{
          method: app ? "PUT" : "POST",
          path: app ? `api/v1/app/${app.id}` : "api/v1/app",
          body: JSON.stringify(body, null, 2),
        }}
      />
    </Dialog>
  );
}
