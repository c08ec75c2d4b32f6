import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { namesOf } from "@/lib/lines";
import { Button } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Field, TextArea, TextInput } from "@/ui/Field";
import { ErrorText } from "@/ui/States";
import { EventTypeChooser } from "../eventtype/EventTypeChooser";
import { badLines, bodyOf, type Draft, draftOf, elsewhere, faultIn, patchOf } from "./form";
import { type Endpoint, endpointChanged, ofSource } from "./queries";

interface EndpointFormProps {
  /** Application, or source, that the endpoint belongs to. */
  appId: string;
  /** The endpoint to change; a new one is made without. */
  endpoint?: Endpoint;
  /** Shows what only the operator is concerned with: uid and metadata. */
  full?: boolean;
  /** Shows how to do it from code; readers of the portal have no key. */
  code?: boolean;
  /** Fields that are kept out of sight; what they hold stays. */
  hide?: readonly string[];
  /** Why it cannot be saved by this reader. */
  reason?: string;
  onSaved(endpoint: Endpoint): void;
  onCancel?(): void;
  /** Above the first field: the choice of the application. */
  children?: ReactNode;
}

const fields = [
  "url",
  "description",
  "eventTypes",
  "channels",
  "throttleRate",
  "uid",
  "metadata",
  "headers",
  "secret",
] as const;

/** Where to send, and what. */
export function EndpointForm(props: EndpointFormProps) {
  const { appId, endpoint, full = false, code = false, hide = [], reason, onSaved, onCancel, children } = props;
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>(() => draftOf(endpoint));
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const bad = badLines(draft);
  const nothing = draft.eventTypes?.length === 0;
  const body = endpoint ? patchOf(draft, full) : bodyOf(draft, full);
  const save = (event: React.FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (bad.metadata || bad.headers || nothing) return;
    setBusy(true);
    setError(null);
    const call = endpoint
      ? api.PATCH("/api/v1/app/{app}/endpoint/{ep}", {
          params: { path: { app: appId, ep: endpoint.id } },
          body: patchOf(draft, full),
        })
      : api.POST("/api/v1/app/{app}/endpoint", { params: { path: { app: appId } }, body: bodyOf(draft, full) });
    ok(call)
      .then(
        async (saved) => {
          await endpointChanged(client, saved.id);
          onSaved(saved);
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  const text = (name: "url" | "description" | "channels" | "uid" | "metadata" | "headers" | "secret") => ({
    value: draft[name],
    onChange: (event: { target: unknown }) => set({ [name]: (event.target as HTMLInputElement).value }),
  });
  const line = (n?: number) => (n === undefined ? undefined : t("ep.line", { line: n }));
  return (
    <form onSubmit={save} className="flex flex-col gap-4" aria-label={t(endpoint ? "ep.settings" : "ep.new")}>
      {children}
      <Field label={t("ep.url")} hint={t("ep.url.hint")} error={faultIn(error, "url")}>
        <TextInput
          mono
          type="url"
          inputMode="url"
          required
          placeholder="https://example.com/webhooks"
          autoFocus={!endpoint}
          {...text("url")}
        />
      </Field>
      <Field label={t("ep.description")} optional error={faultIn(error, "description")}>
        <TextInput {...text("description")} />
      </Field>
      <EventTypeChooser
        value={draft.eventTypes}
        onChange={(eventTypes) => set({ eventTypes })}
        error={faultIn(error, "eventTypes") ?? (tried && nothing ? t("ep.types.nothing") : undefined)}
        free={ofSource(appId)}
      />
      {!hide.includes("channels") && (
        <Field
          label={t("ep.channels")}
          optional
          hint={t("ep.channels.hint")}
          error={faultIn(error, "channels", namesOf(draft.channels))}
        >
          <TextInput mono {...text("channels")} />
        </Field>
      )}
      {!hide.includes("rateLimit") && (
        <Field
          label={t("ep.throttle")}
          optional
          hint={t("ep.throttle.hint")}
          error={faultIn(error, "throttleRate")}
          className="max-w-xs"
        >
          <TextInput
            inputMode="numeric"
            value={draft.throttle}
            onChange={(event) => set({ throttle: event.target.value.replace(/\D/g, "").slice(0, 5) })}
          />
        </Field>
      )}
      {full && (
        <>
          <Field
            label={t("ep.uid")}
            optional
            hint={t("ep.uid.hint")}
            error={faultIn(error, "uid")}
            className="max-w-xs"
          >
            <TextInput mono {...text("uid")} />
          </Field>
          <Field
            label={t("ep.metadata")}
            optional
            hint={t("ep.lines.hint")}
            error={line(bad.metadata) ?? faultIn(error, "metadata")}
          >
            <TextArea mono rows={3} {...text("metadata")} />
          </Field>
        </>
      )}
      {!endpoint && (
        <details className="flex flex-col" open={error !== null && !elsewhere(error, ["headers", "secret"])}>
          <summary className="cursor-default rounded-sm font-medium text-ink-2">{t("ep.more")}</summary>
          <div className="flex flex-col gap-4 pt-3">
            {!hide.includes("headers") && (
              <Field
                label={t("ep.headers")}
                optional
                hint={t("ep.headers.hint")}
                error={line(bad.headers) ?? faultIn(error, "headers")}
              >
                <TextArea mono rows={3} {...text("headers")} />
              </Field>
            )}
            <Field label={t("ep.secret.own")} optional hint={t("ep.secret.own.hint")} error={faultIn(error, "secret")}>
              <TextInput mono autoComplete="off" spellCheck={false} {...text("secret")} />
            </Field>
          </div>
        </details>
      )}
      {error && elsewhere(error, fields) && <ErrorText error={error} />}
      <div className="flex flex-wrap items-center gap-2">
        <Button
          look="primary"
          type="submit"
          busy={busy}
          disabled={draft.url.trim() === "" || appId === ""}
          reason={reason}
        >
          {endpoint ? t("do.save") : t("ep.create")}
        </Button>
        {onCancel && <Button onClick={onCancel}>{t("do.cancel")}</Button>}
      </div>
      {code && (
        <FromCode
          call={{
            method: endpoint ? "PATCH" : "POST",
            path: `api/v1/app/${appId || "APP"}/endpoint${endpoint ? `/${endpoint.id}` : ""}`,
            body: JSON.stringify(masked(body), null, 2),
          }}
        />
      )}
    </form>
  );
}

/** A secret that was typed does not go into a snippet that is copied around. */
const masked = (body: object): object => ("secret" in body ? { ...body, secret: "whsec_…" } : body);
