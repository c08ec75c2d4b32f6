import { t } from "@/lib/i18n";
import { Checkbox } from "@/ui/Choice";
import { Field, TextArea, TextInput } from "@/ui/Field";
import { Select } from "@/ui/Select";
import type { DedupeBy, TypeBy } from "./draft";
import type { PartProps } from "./SourceForm";

const methods = ["PUT", "PATCH", "DELETE", "GET"];
const headers = ["Authorization", "Cookie"];
const dedupes: readonly DedupeBy[] = ["provider", "header", "body", "hash", "none"];
const picks: readonly TypeBy[] = ["provider", "header", "body", "fixed"];

const toggled = (list: readonly string[], one: string, on: boolean) =>
  on ? [...list, one] : list.filter((other) => other !== one);

/** What is rarely changed: duplicates, types, limits, answers. */
export function OptionFields({ draft, set, fault }: PartProps) {
  const text = (name: "dedupeAt" | "typeAt" | "allowNets" | "clientCa" | "responses") => ({
    value: draft[name],
    onChange: (event: { target: unknown }) => set({ [name]: (event.target as HTMLInputElement).value }),
  });
  const digits = (name: "rate" | "maxBody") => ({
    value: draft[name],
    inputMode: "numeric" as const,
    onChange: (event: { target: unknown }) =>
      set({ [name]: (event.target as HTMLInputElement).value.replace(/\D/g, "") }),
  });
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("src.dedupe")} hint={t("src.dedupe.hint")} error={fault("dedupe")}>
          <Select
            label={t("src.dedupe")}
            value={draft.dedupeBy}
            onChange={(dedupeBy) => set({ dedupeBy })}
            options={dedupes.map((value) => ({ value, label: t(`src.dedupe.${value}`) }))}
          />
        </Field>
        {(draft.dedupeBy === "header" || draft.dedupeBy === "body") && (
          <Field label={t(`src.at.${draft.dedupeBy}`)}>
            <TextInput mono {...text("dedupeAt")} />
          </Field>
        )}
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("src.type.by")} error={fault("eventType")}>
          <Select
            label={t("src.type.by")}
            value={draft.typeBy}
            onChange={(typeBy) => set({ typeBy })}
            options={picks.map((value) => ({ value, label: t(`src.type.${value}`) }))}
          />
        </Field>
        {draft.typeBy !== "provider" && (
          <Field label={t(`src.at.${draft.typeBy}`)}>
            <TextInput mono {...text("typeAt")} />
          </Field>
        )}
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("src.rate")} optional hint={t("src.rate.hint")} error={fault("rate")}>
          <TextInput {...digits("rate")} />
        </Field>
        <Field label={t("src.maxBody")} optional hint={t("src.maxBody.hint")} error={fault("maxBody")}>
          <TextInput {...digits("maxBody")} />
        </Field>
      </div>
      <Ticks
        label={t("src.methods")}
        all={methods}
        chosen={draft.methods}
        onChange={(next) => set({ methods: next })}
        error={fault("methods")}
      />
      <Ticks
        label={t("src.forward")}
        all={headers}
        chosen={draft.forwardHeaders}
        onChange={(next) => set({ forwardHeaders: next })}
        error={fault("forwardHeaders")}
      />
      <Checkbox
        label={t("src.requireJson")}
        checked={draft.requireJson}
        onChange={(requireJson) => set({ requireJson })}
      />
      <Checkbox label={t("src.emptyBody")} checked={draft.emptyBody} onChange={(emptyBody) => set({ emptyBody })} />
      <Field label={t("src.nets")} optional hint={t("src.nets.hint")} error={fault("allowNets")}>
        <TextInput mono placeholder="192.0.2.0/24" {...text("allowNets")} />
      </Field>
      <Field label={t("src.ca")} optional hint={t("src.ca.hint")} error={fault("clientCa")}>
        <TextArea mono rows={3} spellCheck={false} placeholder="-----BEGIN CERTIFICATE-----" {...text("clientCa")} />
      </Field>
      <Field label={t("src.responses")} optional hint={t("src.responses.hint")} error={fault("responses")}>
        <TextArea
          mono
          rows={4}
          spellCheck={false}
          placeholder='[{"eventType": "ping", "status": 200, "body": "pong"}]'
          {...text("responses")}
        />
      </Field>
    </>
  );
}

interface TicksProps {
  label: string;
  all: readonly string[];
  chosen: readonly string[];
  onChange(chosen: string[]): void;
  error?: string;
}

function Ticks({ label, all, chosen, onChange, error }: TicksProps) {
  return (
    <fieldset className="flex flex-wrap items-center gap-x-5 gap-y-1">
      <legend className="mb-1 font-medium">{label}</legend>
      {all.map((one) => (
        <Checkbox
          key={one}
          label={one}
          checked={chosen.includes(one)}
          onChange={(on) => onChange(toggled(chosen, one, on))}
        />
      ))}
      {error && <p className="w-full text-failed text-xs">{error}</p>}
    </fieldset>
  );
}
