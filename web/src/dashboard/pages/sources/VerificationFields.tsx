import type { ApiError } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Checkbox } from "@/ui/Choice";
import { Field, TextArea, TextInput } from "@/ui/Field";
import type { SourceType } from "./queries";
import type { PartProps } from "./SourceForm";
import { isSetting, settings } from "./verification";

interface VerificationFieldsProps extends PartProps {
  type: SourceType;
  /** The JSON of a setting cannot be read. */
  unreadable?: boolean;
  error: ApiError | null;
}

/** The settings that this kind of sender is verified with, besides its secret. */
export function VerificationFields({ type, draft, set, unreadable, error }: VerificationFieldsProps) {
  const change = (name: string, text: string) => set({ verification: { ...draft.verification, [name]: text } });
  const faults = (error?.faults ?? []).filter(({ loc }) => loc[1] === "verification");
  const names = type.settings.filter(isSetting);
  // What is wrong with all of them together stands by the last one.
  const fault = (name: string) =>
    (name === "generic" && unreadable ? t("src.notJson") : undefined) ??
    faults.find(({ loc }) => loc[2] === name)?.msg ??
    (name === names.at(-1) ? faults.find(({ loc }) => !names.some((one) => one === loc[2]))?.msg : undefined);
  return names.map((name) => {
    const { kind, label, hint } = settings[name];
    const value = draft.verification[name] ?? "";
    if (kind === "flag")
      return (
        <Field key={name} label={t(label)} labelHidden error={fault(name)}>
          <Checkbox
            label={t(label)}
            hint={t(hint)}
            checked={value !== ""}
            onChange={(on) => change(name, on ? "true" : "")}
          />
        </Field>
      );
    const example =
      name === "toleranceSeconds" && type.toleranceSeconds > 0 ? String(type.toleranceSeconds) : undefined;
    return (
      <Field key={name} label={t(label)} optional={kind !== "json"} hint={t(hint)} error={fault(name)}>
        {kind === "json" ? (
          <TextArea
            mono
            rows={6}
            spellCheck={false}
            value={value}
            onChange={(event) => change(name, event.target.value)}
          />
        ) : (
          <TextInput
            mono
            className={kind === "number" ? "max-w-40" : undefined}
            inputMode={kind === "number" ? "numeric" : undefined}
            placeholder={example}
            value={value}
            onChange={(event) => {
              const text = event.target.value;
              change(name, kind === "number" ? text.replace(/\D/g, "") : text);
            }}
          />
        )}
      </Field>
    );
  });
}
