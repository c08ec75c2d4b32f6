import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Send } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { FromCode } from "@/ui/code";
import { Field } from "@/ui/Field";
import { Editor } from "@/ui/payload";
import { Select } from "@/ui/Select";
import { ErrorText } from "@/ui/States";
import { catalogueQuery } from "../eventtype/queries";
import { exampleText } from "../eventtype/schema";
import { elsewhere, faultIn } from "./form";
import { type Endpoint, endpointKey } from "./queries";
import { TestResult } from "./TestResult";

/** The type that can be sent where the catalogue has none. */
const ping = "svix.ping";
const pingPayload = '{\n  "success": true\n}';

interface TestSendProps {
  appId: string;
  endpoint: Endpoint;
  /** Why this reader may not send. */
  reason?: string;
  /** The page of the message that was sent. */
  messageLink?(message: string): ReactNode;
  /** True where payloads are kept from this reader. */
  hidden?: boolean;
  code?: boolean;
}

/** Sends a sample of an event type to this endpoint only, and shows in place what came of it. */
export function TestSend({ appId, endpoint, reason, messageLink, hidden, code }: TestSendProps) {
  const client = useQueryClient();
  const types = useQuery(catalogueQuery(true));
  const [type, setType] = useState("");
  const [edited, setEdited] = useState<string | null>(null);
  const [broken, setBroken] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [sent, setSent] = useState<string | null>(null);
  const wanted = endpoint.eventTypes;
  const names = (types.data ?? []).map((one) => one.name);
  // Those that the endpoint asks for come first: they are what it will get.
  const order = [...names.filter((name) => wanted?.includes(name)), ...names.filter((name) => !wanted?.includes(name))];
  const withExample = order.find((name) => exampleText(types.data?.find((one) => one.name === name)?.schemas));
  const chosen = type || (wanted ? order[0] : withExample) || order[0] || ping;
  const example = exampleText(types.data?.find((one) => one.name === chosen)?.schemas);
  const payload = edited ?? example ?? (chosen === ping ? pingPayload : "{}");
  const body = `{"eventType":${JSON.stringify(chosen)},"payload":${payload.trim() || "{}"}}`;
  const off = endpoint.disabled ? t("ep.test.disabled") : undefined;
  const send = () => {
    setBusy(true);
    setError(null);
    setSent(null);
    // The text goes as it stands: numbers and order of keys are the writer's.
    ok(
      api.POST("/api/v1/app/{app}/endpoint/{ep}/send-example", {
        params: { path: { app: appId, ep: endpoint.id } },
        body: body as never,
        bodySerializer: (text: unknown) => text as string,
        headers: { "Content-Type": "application/json" },
      }),
    )
      .then(
        (message) => {
          setSent(message.id);
          void client.invalidateQueries({ queryKey: [...endpointKey(endpoint.id), "attempts"] });
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  return (
    <div className="flex min-w-0 max-w-4xl flex-col gap-4">
      <p className="text-base text-ink-2">{t("ep.test.text")}</p>
      <Field
        label={t("ep.test.type")}
        hint={names.length === 0 && types.data ? t("ep.test.ping") : undefined}
        error={faultIn(error, "eventType")}
        className="max-w-md"
      >
        <Select
          label={t("ep.test.type")}
          value={chosen}
          onChange={(next) => {
            setType(next);
            setEdited(null);
          }}
          options={[...order, ping].map((name) => ({
            value: name,
            label: name,
            hint: wanted && name !== ping && !wanted.includes(name) ? t("ep.test.unasked") : undefined,
          }))}
        />
      </Field>
      <Editor
        label={t("ep.test.payload")}
        hint={example === undefined && chosen !== ping ? t("ep.test.noExample") : t("ep.test.payload.hint")}
        error={faultIn(error, "payload")}
        value={payload}
        language="json"
        rows={10}
        onChange={setEdited}
        onSyntax={(fault) => setBroken(fault !== null)}
      />
      <div className="flex flex-wrap items-center gap-3">
        <Button look="primary" icon={Send} busy={busy} disabled={broken} reason={reason ?? off} onClick={send}>
          {t("ep.test.send")}
        </Button>
        {edited !== null && <Button onClick={() => setEdited(null)}>{t("ep.test.reset")}</Button>}
      </div>
      {error && elsewhere(error, ["eventType", "payload"]) && <ErrorText error={error} />}
      {sent && (
        <TestResult key={sent} appId={appId} endpoint={endpoint.id} message={sent} link={messageLink} hidden={hidden} />
      )}
      {code && (
        <FromCode call={{ method: "POST", path: `api/v1/app/${appId}/endpoint/${endpoint.id}/send-example`, body }} />
      )}
    </div>
  );
}
