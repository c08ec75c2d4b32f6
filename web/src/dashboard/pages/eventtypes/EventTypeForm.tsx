import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { namesOf } from "@/lib/lines";
import { elsewhere, faultIn } from "@/parts/endpoint/form";
import type { EventType } from "@/parts/eventtype/queries";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Choice";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextArea, TextInput } from "@/ui/Field";
import { ErrorText } from "@/ui/States";
import { toast } from "@/ui/Toast";
import { badSchemas, bodyText, type Draft, draftOf } from "./form";
import { SchemasField } from "./SchemasField";

interface EventTypeFormProps {
  /** The type to change, with its schemas; a new one is made without. */
  type?: EventType;
  onClose(): void;
  onSaved(name: string): void;
}

const fields = ["name", "description", "groupName", "featureFlags", "schemas"];

/** Makes an event type or changes one. */
export function EventTypeForm({ type, onClose, onSaved }: EventTypeFormProps) {
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>(() => draftOf(type));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const bad = badSchemas(draft.schemas);
  const body = bodyText(draft, type?.archived ?? false, type === undefined);
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    if (bad.length > 0) return;
    setBusy(true);
    setError(null);
    const raw = {
      body: body as never,
      bodySerializer: (text: unknown) => text as string,
      headers: { "Content-Type": "application/json" },
    };
    ok(
      type
        ? api.PUT("/api/v1/event-type/{name}", { params: { path: { name: type.name } }, ...raw })
        : api.POST("/api/v1/event-type", raw),
    )
      .then(
        async (saved) => {
          await Promise.all([
            client.invalidateQueries({ queryKey: ["event-types"] }),
            client.invalidateQueries({ queryKey: ["event-type", saved.name] }),
          ]);
          toast(t("type.saved"));
          onClose();
          onSaved(saved.name);
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  return (
    <Dialog
      open
      onClose={onClose}
      size="large"
      title={type ? t("type.edit") : t("type.new")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button
            look="primary"
            type="submit"
            form="event-type"
            busy={busy}
            disabled={draft.name.trim() === "" || bad.length > 0}
          >
            {type ? t("do.save") : t("do.create")}
          </Button>
        </>
      }
    >
      <form id="event-type" onSubmit={save} className="flex flex-col gap-4">
        <div className="grid items-start gap-4 sm:grid-cols-2">
          <Field label={t("type.name")} hint={t("type.name.hint")} error={faultIn(error, "name")}>
            <TextInput
              mono
              autoFocus={!type}
              readOnly={type !== undefined}
              placeholder="invoice.paid"
              value={draft.name}
              onChange={(event) => set({ name: event.target.value })}
            />
          </Field>
          <Field label={t("type.group")} optional hint={t("type.group.hint")} error={faultIn(error, "groupName")}>
            <TextInput mono value={draft.group} onChange={(event) => set({ group: event.target.value })} />
          </Field>
        </div>
        <Field label={t("type.description")} hint={t("type.description.hint")} error={faultIn(error, "description")}>
          <TextArea rows={2} value={draft.description} onChange={(event) => set({ description: event.target.value })} />
        </Field>
        <SchemasField
          schemas={draft.schemas}
          onChange={(schemas) => set({ schemas })}
          bad={bad}
          error={faultIn(error, "schemas")}
        />
        <Checkbox
          label={t("type.enforce")}
          hint={t("type.enforce.hint")}
          checked={draft.enforce}
          onChange={(enforce) => set({ enforce })}
        />
        <Field
          label={t("type.flags")}
          optional
          hint={t("type.flags.hint")}
          error={faultIn(error, "featureFlags", namesOf(draft.flags))}
        >
          <TextInput mono value={draft.flags} onChange={(event) => set({ flags: event.target.value })} />
        </Field>
        <Checkbox
          label={t("type.isDeprecated")}
          hint={t("type.isDeprecated.hint")}
          checked={draft.deprecated}
          onChange={(deprecated) => set({ deprecated })}
        />
      </form>
      {error && elsewhere(error, fields) && <ErrorText error={error} />}
      <FromCode
        call={{
          method: type ? "PUT" : "POST",
          path: type ? `api/v1/event-type/${encodeURIComponent(type.name)}` : "api/v1/event-type",
          body,
        }}
      />
    </Dialog>
  );
}
