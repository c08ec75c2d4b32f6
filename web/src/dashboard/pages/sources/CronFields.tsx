import type { ApiError } from "@/lib/api";
import { t } from "@/lib/i18n";
import { Field, TextArea, TextInput } from "@/ui/Field";
import type { PartProps } from "./SourceForm";

/** When a source makes its events, and which. */
export function CronFields({ draft, set, error }: PartProps & { error: ApiError | null }) {
  const { cron } = draft;
  const fault = (name: string) =>
    error?.faults.find(({ loc }) => (loc[1] === "cron" || loc[1] === "config") && loc[2] === name)?.msg;
  const text = (name: keyof typeof cron) => ({
    value: cron[name],
    onChange: (event: { target: unknown }) =>
      set({ cron: { ...cron, [name]: (event.target as HTMLInputElement).value } }),
  });
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("src.cron.schedule")} hint={t("src.cron.schedule.hint")} error={fault("schedule")}>
          <TextInput mono required placeholder="0 9 * * 1-5" {...text("schedule")} />
        </Field>
        <Field label={t("src.cron.zone")} hint={t("src.cron.zone.hint")} error={fault("timeZone")}>
          <TextInput {...text("timeZone")} />
        </Field>
      </div>
      <Field label={t("src.cron.payload")} error={fault("payload")}>
        <TextArea mono rows={4} {...text("payload")} />
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("src.cron.type")} optional hint={t("src.cron.type.hint")} error={fault("eventType")}>
          <TextInput mono placeholder="cron" {...text("eventType")} />
        </Field>
        <Field label={t("src.cron.media")} optional error={fault("contentType")}>
          <TextInput mono placeholder="application/json" {...text("contentType")} />
        </Field>
      </div>
    </>
  );
}
