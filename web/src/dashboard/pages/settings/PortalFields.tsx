import type { ApiError } from "@/lib/api";
import { number } from "@/lib/format";
import { languages, t } from "@/lib/i18n";
import { Checkbox, RadioGroup } from "@/ui/Choice";
import { Field, TextArea, TextInput } from "@/ui/Field";
import { Select } from "@/ui/Select";
import { Mark } from "@/ui/Status";
import { type accents, type Draft, readable, type Theme } from "./theme";

const parts = ["catalogue", "messages", "recover", "test", "channels", "headers", "rateLimit"] as const;
const fonts = ["inter", "system", "serif", "mono"] as const;
const modes = ["system", "light", "dark"] as const;

interface PortalFieldsProps {
  draft: Draft;
  set(change: Partial<Draft>): void;
  accents: ReturnType<typeof accents>;
  error: ApiError | null;
}

export function PortalFields({ draft, set, accents, error }: PortalFieldsProps) {
  const fault = (...path: string[]) => error?.faults.find(({ loc }) => path.every((one, i) => loc[i + 1] === one))?.msg;
  const text = (name: "name" | "logoLight" | "logoDark" | "accent" | "accentDark" | "origins") => ({
    value: draft[name],
    onChange: (event: { target: unknown }) => set({ [name]: (event.target as HTMLInputElement).value.trimStart() }),
  });
  const words = (name: keyof Theme["texts"]) => ({
    value: draft.texts[name],
    onChange: (event: { target: unknown }) =>
      set({ texts: { ...draft.texts, [name]: (event.target as HTMLInputElement).value } }),
  });
  return (
    <>
      <Field label={t("portalset.name")} hint={t("portalset.name.hint")} error={fault("portal", "name")}>
        <TextInput maxLength={80} {...text("name")} />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label={t("portalset.logo")}
          optional
          hint={t("portalset.logo.hint")}
          error={fault("portal", "logoLight")}
        >
          <TextInput mono placeholder="https://" {...text("logoLight")} />
        </Field>
        <Field label={t("portalset.logoDark")} optional error={fault("portal", "logoDark")}>
          <TextInput mono placeholder="https://" {...text("logoDark")} />
        </Field>
        <Colour
          label={t("portalset.accent")}
          side={accents.light}
          own="#e4572e"
          value={draft.accent}
          onChange={(accent) => set({ accent })}
          error={fault("portal", "accent")}
        />
        <Colour
          label={t("portalset.accentDark")}
          side={accents.dark}
          own="#ff7a50"
          value={draft.accentDark}
          onChange={(accentDark) => set({ accentDark })}
          error={fault("portal", "accentDark")}
        />
        <Field label={t("portalset.radius")} error={fault("portal", "radius")}>
          <TextInput
            inputMode="numeric"
            value={draft.radius}
            onChange={(event) => set({ radius: event.target.value.replace(/\D/g, "").slice(0, 2) })}
          />
        </Field>
        <Field label={t("portalset.font")}>
          <Select
            label={t("portalset.font")}
            value={draft.font}
            onChange={(font) => set({ font: font as Theme["font"] })}
            options={fonts.map((value) => ({ value, label: t(`portalset.font.${value}`) }))}
          />
        </Field>
        <Field label={t("portalset.language")} error={fault("portal", "language")}>
          <Select
            label={t("portalset.language")}
            value={draft.language || "browser"}
            onChange={(language) => set({ language: language === "browser" ? "" : language })}
            options={[
              { value: "browser", label: t("portalset.language.browser") },
              ...Object.entries(languages).map(([value, label]) => ({ value, label })),
            ]}
          />
        </Field>
      </div>
      <RadioGroup
        row
        label={t("portalset.mode")}
        value={draft.mode}
        onChange={(mode) => set({ mode })}
        options={modes.map((value) => ({ value, label: t(`theme.${value}`) }))}
      />
      <fieldset className="flex flex-wrap gap-x-5 gap-y-1">
        <legend className="pb-1 font-medium">{t("portalset.show")}</legend>
        {parts.map((part) => (
          <Checkbox
            key={part}
            label={t(`portalset.part.${part}`)}
            checked={!draft.hide.includes(part)}
            onChange={(shown) =>
              set({ hide: shown ? draft.hide.filter((one) => one !== part) : [...draft.hide, part] })
            }
          />
        ))}
        <p className="w-full text-ink-3 text-xs">{t("portalset.show.hint")}</p>
      </fieldset>
      <Field label={t("portalset.texts.title")} optional error={fault("portal", "texts", "title")}>
        <TextInput maxLength={80} {...words("title")} />
      </Field>
      <Field label={t("portalset.texts.welcome")} optional error={fault("portal", "texts", "welcome")}>
        <TextArea rows={2} maxLength={500} {...words("welcome")} />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("portalset.texts.support")} optional error={fault("portal", "texts", "support")}>
          <TextInput maxLength={200} {...words("support")} />
        </Field>
        <Field label={t("portalset.texts.supportUrl")} optional error={fault("portal", "texts", "supportUrl")}>
          <TextInput mono placeholder="mailto:" {...words("supportUrl")} />
        </Field>
      </div>
      <Field label={t("portalset.origins")} optional hint={t("portalset.origins.hint")} error={fault("portalOrigins")}>
        <TextInput mono placeholder="https://app.example.com" {...text("origins")} />
      </Field>
    </>
  );
}

interface ColourProps {
  label: string;
  side: { colour: string; contrast: number } | undefined;
  /** What is taken where none is chosen. */
  own: string;
  value: string;
  onChange(value: string): void;
  error?: string;
}

/** A colour by its code or by picking it, and whether text in it can be read. */
function Colour({ label, side, own, value, onChange, error }: ColourProps) {
  const good = readable(side);
  return (
    <Field
      label={label}
      optional
      error={error}
      hint={
        side === undefined ? (
          t("portalset.own")
        ) : (
          <span className="inline-flex items-center gap-1">
            <Mark status={good ? "delivered" : "failed"} />
            {t(good ? "portalset.contrast" : "portalset.contrast.low", { ratio: number(side.contrast, 1) })}
          </span>
        )
      }
    >
      <div className="flex gap-2">
        <input
          type="color"
          aria-label={`${label}: ${t("portalset.pick")}`}
          value={/^#[0-9a-f]{6}$/i.test(value) ? value : (side?.colour ?? own)}
          onChange={(event) => onChange(event.target.value)}
          className="h-8 w-10 shrink-0 rounded border border-edge/70 bg-surface p-0.5"
        />
        <TextInput
          mono
          placeholder={side?.colour ?? own}
          maxLength={7}
          value={value}
          onChange={(event) => onChange(event.target.value.trim().toLowerCase())}
        />
      </div>
    </Field>
  );
}
