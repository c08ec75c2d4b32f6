import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok, type Schema } from "@/lib/api";
import { t } from "@/lib/i18n";
import { resultOf, succeeded, tookOf } from "@/parts/message/attempts";
import { Button } from "@/ui/Button";
import { Checkbox } from "@/ui/Choice";
import { FromCode } from "@/ui/code";
import { Dialog } from "@/ui/Dialog";
import { Field, TextInput } from "@/ui/Field";
import { Editor } from "@/ui/payload";
import { Select } from "@/ui/Select";
import { ErrorText } from "@/ui/States";
import { Mark } from "@/ui/Status";
import { exampleOf, names, publishBody } from "./publish";
import { applicationChoices } from "./queries";

const eventTypes = {
  queryKey: ["event-types", "choices"],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    ok(api.GET("/api/v1/event-type", { params: { query: { limit: 250, with_content: true } }, signal })),
};

/** Publishes a message and shows in place what came of it. */
export function SendDialog({
  onClose,
  onOpen,
  app: given,
}: {
  onClose(): void;
  onOpen(id: string): void;
  app?: string;
}) {
  const client = useQueryClient();
  const apps = useQuery(applicationChoices(""));
  const types = useQuery(eventTypes);
  const [app, setApp] = useState(given ?? "");
  const [type, setType] = useState("");
  const [payload, setPayload] = useState("{}");
  const [touched, setTouched] = useState(false);
  const [channels, setChannels] = useState("");
  const [tags, setTags] = useState("");
  const [eventId, setEventId] = useState("");
  const [wait, setWait] = useState(true);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [result, setResult] = useState<Schema<"MessageCreateOut"> | null>(null);
  const chosen = app || apps.data?.data[0]?.id || "";
  const choose = (name: string) => {
    setType(name);
    const example = exampleOf(types.data?.data.find((one) => one.name === name)?.schemas);
    if (example !== undefined && !touched) setPayload(example);
  };
  const body = publishBody({ eventType: type, payload, eventId, channels: names(channels), tags: names(tags) });
  const send = () => {
    setBusy(true);
    setError(null);
    setResult(null);
    // The text goes as it stands: numbers and order of keys are the writer's.
    ok(
      api.POST("/api/v1/app/{app}/msg", {
        params: { path: { app: chosen }, query: { wait: wait ? "10" : undefined } },
        body: body as never,
        bodySerializer: (text: unknown) => text as string,
        headers: { "Content-Type": "application/json" },
      }),
    )
      .then(
        (made) => {
          setResult(made as Schema<"MessageCreateOut">);
          void client.invalidateQueries({ queryKey: ["messages"] });
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  const choices = (apps.data?.data ?? []).map((one) => ({ value: one.id, label: one.name }));
  return (
    <Dialog
      open
      onClose={onClose}
      size="medium"
      title={t("send.title")}
      text={t("send.text")}
      actions={
        <>
          <Button onClick={onClose}>{t("do.close")}</Button>
          <Button look="primary" busy={busy} disabled={chosen === "" || type === ""} onClick={send}>
            {t("send.submit")}
          </Button>
        </>
      }
    >
      {apps.data && choices.length === 0 && !given && <p className="text-ink-2">{t("send.app.none")}</p>}
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("send.app")}>
          <Select
            label={t("send.app")}
            value={chosen}
            onChange={setApp}
            options={choices}
            disabled={choices.length === 0}
          />
        </Field>
        <Field label={t("send.type")} hint={t("send.type.hint")} error={error?.fault("eventType")}>
          <TextInput mono list="event-types" value={type} onChange={(event) => choose(event.target.value)} />
        </Field>
        <datalist id="event-types">
          {types.data?.data.map((one) => (
            <option key={one.name} value={one.name} />
          ))}
        </datalist>
      </div>
      <Editor
        label={t("send.payload")}
        hint={t("send.payload.hint")}
        error={error?.fault("payload")}
        value={payload}
        language="json"
        rows={8}
        onChange={(text) => {
          setPayload(text);
          setTouched(true);
        }}
      />
      <div className="grid gap-4 sm:grid-cols-3">
        <Field label={t("send.channels")} hint={t("send.commas")} optional error={error?.fault("channels")}>
          <TextInput value={channels} onChange={(event) => setChannels(event.target.value)} />
        </Field>
        <Field label={t("send.tags")} hint={t("send.commas")} optional error={error?.fault("tags")}>
          <TextInput value={tags} onChange={(event) => setTags(event.target.value)} />
        </Field>
        <Field label={t("send.eventId")} hint={t("send.eventId.hint")} optional error={error?.fault("eventId")}>
          <TextInput mono value={eventId} onChange={(event) => setEventId(event.target.value)} />
        </Field>
      </div>
      <Checkbox label={t("send.wait")} checked={wait} onChange={setWait} />
      {error && <ErrorText error={error} />}
      {result && (
        <Result
          result={result}
          onOpen={() => {
            onClose();
            onOpen(result.id);
          }}
        />
      )}
      <FromCode
        call={{
          method: "POST",
          path: `api/v1/app/${encodeURIComponent(chosen || "APP")}/msg${wait ? "?wait=10" : ""}`,
          body,
          cli: [
            "send",
            type || "TYPE",
            ...(chosen ? ["--app", chosen] : []),
            "-d",
            payload,
            ...names(channels).flatMap((name) => ["--channel", name]),
            ...(eventId ? ["--event-id", eventId] : []),
          ],
        }}
      />
    </Dialog>
  );
}

function Result({ result, onOpen }: { result: Schema<"MessageCreateOut">; onOpen(): void }) {
  const deliveries = result.deliveries ?? [];
  return (
    <div role="status" className="flex flex-col gap-2 rounded border border-line bg-sunken px-3 py-2">
      {result.deliveries !== undefined && deliveries.length === 0 && <p>{t("send.result.none")}</p>}
      {(result.attempts ?? []).map((attempt) => (
        <p key={attempt.id} className="flex items-center gap-2">
          <Mark status={succeeded(attempt) ? "delivered" : "failed"} />
          <span className="min-w-0 flex-1 truncate">{attempt.url}</span>
          <span className="data">
            {resultOf(attempt)} · {tookOf(attempt)}
          </span>
        </p>
      ))}
      {result.waitExpired && <p className="text-retrying">{t("send.result.expired")}</p>}
      <p className="flex items-center gap-2">
        <span className="data min-w-0 flex-1 truncate">{result.id}</span>
        <Button onClick={onOpen}>{t("send.result.open")}</Button>
      </p>
    </div>
  );
}
