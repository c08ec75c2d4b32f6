import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { elsewhere, faultIn } from "@/parts/endpoint/form";
import { Button } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Field, TextArea, TextInput } from "@/ui/Field";
import { ErrorText } from "@/ui/States";
import { CronFields } from "./CronFields";
import { bodyOf, type Draft, draftOf, newBodyOf, unreadable } from "./draft";
import { OptionFields } from "./OptionFields";
import { type Source, type SourceType, sourceChanged } from "./queries";
import { RouteFields } from "./RouteFields";
import { VerificationFields } from "./VerificationFields";

interface SourceFormProps {
  type: SourceType;
  /** The source to change; a new one is made without. */
  source?: Source;
  /** Why this reader may not save it. */
  reason?: string;
  onSaved(source: Source): void;
  onCancel?(): void;
}

/** What each part of the form takes. */
export interface PartProps {
  draft: Draft;
  set(change: Partial<Draft>): void;
  /** What is wrong with a member of the body. */
  fault(name: string): string | undefined;
}

const shown = [
  "name",
  "uid",
  "secrets",
  "verification",
  "cron",
  "routes",
  "dedupe",
  "eventType",
  "rate",
  "maxBody",
  "methods",
  "allowNets",
  "clientCa",
  "forwardHeaders",
  "responses",
  "metadata",
];

/** Who sends to it, how that is verified, and what happens then. */
export function SourceForm({ type, source, reason, onSaved, onCancel }: SourceFormProps) {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(type, source));
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const bad = unreadable(type, draft);
  const cron = type.name === "cron";
  const body = source ? bodyOf(type, draft) : newBodyOf(type, draft);
  const fault = (name: string) =>
    (name === "metadata" && bad.metadata !== undefined && t("src.line", { line: bad.metadata })) ||
    (name === "responses" && bad.responses && t("src.notJson")) ||
    faultIn(error, name);
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    if (Object.keys(bad).length > 0) return;
    setBusy(true);
    setError(null);
    const call = source
      ? api.PATCH("/ingest/api/v1/source/{source}", {
          params: { path: { source: source.id } },
          body: bodyOf(type, draft),
        })
      : api.POST("/ingest/api/v1/source", { body: newBodyOf(type, draft) });
    ok(call)
      .then(
        async (saved) => {
          await sourceChanged(client, saved.id);
          onSaved(saved);
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  const part: PartProps = { draft, set, fault };
  return (
    <form onSubmit={save} className="flex max-w-2xl flex-col gap-4" aria-label={t(source ? "src.settings" : "src.new")}>
      <Field label={t("src.name")} error={fault("name")}>
        <TextInput
          value={draft.name}
          autoFocus={!source}
          required
          onChange={(event) => set({ name: event.target.value })}
        />
      </Field>
      {!source && !cron && type.name !== "none" && (
        <Field
          label={t("src.secret")}
          optional={type.secretOptional}
          hint={type.secretHelp}
          error={faultIn(error, "secrets")}
        >
          <TextArea
            mono
            rows={2}
            autoComplete="off"
            spellCheck={false}
            value={draft.secret}
            onChange={(event) => set({ secret: event.target.value })}
          />
        </Field>
      )}
      {!source && !cron && !type.secretOptional && draft.secret.trim() === "" && (
        <p className="text-ink-2">{t("src.secret.later")}</p>
      )}
      {cron && <CronFields {...part} error={error} />}
      <VerificationFields {...part} type={type} unreadable={bad.generic} error={error} />
      <RouteFields {...part} />
      <details open={error !== null && !cron && optionFault(error)}>
        <summary className="cursor-default rounded-sm font-medium text-ink-2">
          {t(cron ? "ep.more" : "src.more")}
        </summary>
        <div className="flex flex-col gap-4 pt-3">
          <Field label={t("src.uid")} optional hint={t("src.uid.hint")} error={fault("uid")} className="max-w-xs">
            <TextInput mono value={draft.uid} onChange={(event) => set({ uid: event.target.value })} />
          </Field>
          {!cron && <OptionFields {...part} />}
          <Field label={t("src.metadata")} optional hint={t("src.metadata.hint")} error={fault("metadata")}>
            <TextArea
              mono
              rows={2}
              value={draft.metadata}
              onChange={(event) => set({ metadata: event.target.value })}
            />
          </Field>
        </div>
      </details>
      {error && elsewhere(error, shown) && <ErrorText error={error} />}
      <div className="flex flex-wrap items-center gap-2">
        <Button look="primary" type="submit" busy={busy} reason={reason} disabled={draft.name.trim() === ""}>
          {source ? t("do.save") : t("src.create")}
        </Button>
        {onCancel && <Button onClick={onCancel}>{t("do.cancel")}</Button>}
      </div>
      <FromCode
        call={{
          method: source ? "PATCH" : "POST",
          path: `ingest/api/v1/source${source ? `/${source.id}` : ""}`,
          body: JSON.stringify(
            "secrets" in body && body.secrets ? { ...body, secrets: [{ value: "…" }] } : body,
            null,
            2,
          ),
          cli: source ? undefined : commandOf(newBodyOf(type, draft)),
        }}
      />
    </form>
  );
}

/** The command that makes the same source; its secret comes from GRAPNEL_SECRET. */
function commandOf({ type, name, uid, secrets: _, ...options }: Schema<"SourceIn">): readonly string[] {
  return [
    "sources",
    "create",
    type,
    ...["--name", name],
    ...(uid ? ["--uid", uid] : []),
    ...(Object.keys(options).length > 0 ? ["--options", JSON.stringify(options)] : []),
  ];
}

/** True where something is wrong that is folded away. */
const optionFault = (error: ApiError): boolean =>
  !elsewhere(
    error,
    shown.filter((name) => !["name", "secrets", "verification", "cron", "routes"].includes(name)),
  );
