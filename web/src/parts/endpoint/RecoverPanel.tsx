import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiError, api, ok } from "@/lib/api";
import { count, duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { Button } from "@/ui/Button";
import { RadioGroup } from "@/ui/Choice";
import { FromCode } from "@/ui/code";
import { Field, TextInput } from "@/ui/Field";
import { Select } from "@/ui/Select";
import { ErrorText } from "@/ui/States";
import { faultIn } from "./form";
import { type Endpoint, endpointKey, tasksQuery } from "./queries";
import { fromLocal, localText, type Since, sinceOf, takes, troubleOf } from "./recover";
import { Tasks } from "./Tasks";

interface RecoverPanelProps {
  appId: string;
  endpoint: Endpoint;
  reason?: string;
  code?: boolean;
}

type What = "recover" | "replay-missing";

/** Sends again what failed, or what never came; with the count before and the progress after. */
export function RecoverPanel({ appId, endpoint, reason, code }: RecoverPanelProps) {
  const client = useQueryClient();
  const trouble = troubleOf(endpoint);
  const [what, setWhat] = useState<What>("recover");
  const [picked, setChoice] = useState<Since>(trouble ? "trouble" : "day");
  const choice = picked === "trouble" && !trouble ? "day" : picked;
  const [own, setOwn] = useState(() => localText(sinceOf("day", new Date())));
  const [end, setEnd] = useState("");
  const [rate, setRate] = useState("");
  // Fixed when it is chosen, so that count and task are about the same messages.
  const [chosenAt, setChosenAt] = useState(() => new Date());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const since = choice === "own" ? fromLocal(own) : sinceOf(choice, chosenAt, trouble);
  const until = choice === "own" ? fromLocal(end) : undefined;
  const range = { since: since?.toISOString() ?? "", ...(until && { until: until.toISOString() }) };
  const params = { path: { app: appId, ep: endpoint.id } };
  const counted = useQuery({
    queryKey: [...endpointKey(endpoint.id), "count", what, range.since, range.until ?? ""],
    queryFn: ({ signal }) =>
      ok(
        what === "recover"
          ? api.POST("/api/v1/app/{app}/endpoint/{ep}/recover/count", { params, body: range, signal })
          : api.POST("/api/v1/app/{app}/endpoint/{ep}/replay-missing/count", { params, body: range, signal }),
      ),
    enabled: since !== undefined,
    placeholderData: undefined,
    staleTime: 0,
  });
  const wrong = (counted.error as ApiError | null) ?? error;
  const body = { ...range, ...(rate && { rate: Number(rate) }) };
  const start = () => {
    setBusy(true);
    setError(null);
    ok(
      what === "recover"
        ? api.POST("/api/v1/app/{app}/endpoint/{ep}/recover", { params, body })
        : api.POST("/api/v1/app/{app}/endpoint/{ep}/replay-missing", { params, body }),
    )
      .then(
        async () => {
          await client.invalidateQueries({ queryKey: tasksQuery(appId, endpoint.id).queryKey });
          await counted.refetch();
        },
        (why: ApiError) => setError(why),
      )
      .finally(() => setBusy(false));
  };
  const n = counted.data;
  const time = n && takes(n.count, rate ? Number(rate) : undefined);
  const nothing = n?.count === 0 ? t("ep.recover.nothing") : undefined;
  const choices: Since[] = [...(trouble ? (["trouble"] as const) : []), "hour", "day", "week", "longest", "own"];
  return (
    <div className="flex min-w-0 flex-col gap-6">
      <div className="flex max-w-2xl flex-col gap-4">
        <RadioGroup
          label={t("ep.recover.what")}
          value={what}
          onChange={(next) => setWhat(next as What)}
          options={[
            { value: "recover", label: t("ep.recover.failed"), hint: t("ep.recover.failed.hint") },
            { value: "replay-missing", label: t("ep.recover.missing"), hint: t("ep.recover.missing.hint") },
          ]}
        />
        <div className="grid items-start gap-4 sm:grid-cols-2">
          <Field label={t("ep.recover.since")} error={choice === "own" ? undefined : faultIn(wrong, "since")}>
            <Select
              label={t("ep.recover.since")}
              value={choice}
              onChange={(next) => {
                setChoice(next);
                setChosenAt(new Date());
              }}
              options={choices.map((value) => ({ value, label: t(`ep.recover.since.${value}`) }))}
            />
          </Field>
          <Field label={t("ep.recover.rate")} optional hint={t("ep.recover.rate.hint")} error={faultIn(wrong, "rate")}>
            <TextInput
              inputMode="numeric"
              value={rate}
              onChange={(event) => setRate(event.target.value.replace(/\D/g, "").slice(0, 5))}
            />
          </Field>
          {choice === "own" && (
            <>
              <Field label={t("range.from")} error={faultIn(wrong, "since")}>
                <TextInput type="datetime-local" value={own} onChange={(event) => setOwn(event.target.value)} />
              </Field>
              <Field label={t("range.to")} optional hint={t("ep.recover.until.hint")} error={faultIn(wrong, "until")}>
                <TextInput type="datetime-local" value={end} onChange={(event) => setEnd(event.target.value)} />
              </Field>
            </>
          )}
        </div>
        <p role="status" className="min-h-5 text-base">
          {n && (
            <>
              <span className="font-medium">
                {n.count === 0
                  ? t("ep.recover.nothing")
                  : t("ep.recover.count", { n: n.count, count: count(n.count, n.more) })}
              </span>
              {time !== undefined && n.count > 0 && (
                <span className="ml-2 text-ink-2">
                  {t(n.more ? "ep.recover.atLeast" : "ep.recover.takes", { time: duration(time) })}
                </span>
              )}
            </>
          )}
        </p>
        {wrong && wrong.faults.length === 0 && <ErrorText error={wrong} />}
        <div>
          <Button
            look="primary"
            busy={busy}
            disabled={!n}
            reason={reason ?? (endpoint.disabled ? t("ep.test.disabled") : nothing)}
            onClick={start}
          >
            {t(what === "recover" ? "ep.recover.start" : "ep.recover.startMissing")}
          </Button>
        </div>
        {code && (
          <FromCode
            call={{
              method: "POST",
              path: `api/v1/app/${appId}/endpoint/${endpoint.id}/${what}`,
              body: JSON.stringify(body),
            }}
          />
        )}
      </div>
      <Tasks appId={appId} endpointId={endpoint.id} reason={reason} />
    </div>
  );
}
