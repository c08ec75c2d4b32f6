import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useId } from "react";
import { t } from "@/lib/i18n";
import { Button, IconButton } from "@/ui/Button";
import { Field, TextInput } from "@/ui/Field";
import { applicationChoices } from "../messages/queries";
import type { RouteDraft } from "./draft";
import type { PartProps } from "./SourceForm";

/** Applications that get each event as a message too. */
export function RouteFields({ draft, set, fault }: PartProps) {
  const list = useId();
  const apps = useQuery(applicationChoices(""));
  const change = (at: number, route: Partial<RouteDraft>) =>
    set({ routes: draft.routes.map((one, i) => (i === at ? { ...one, ...route } : one)) });
  const wrong = fault("routes");
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1 font-medium">
        {t("src.routes")} <span className="font-normal text-ink-3">{t("word.optional")}</span>
      </legend>
      <p className="text-ink-3 text-xs">{t("src.routes.hint")}</p>
      <datalist id={list}>
        {apps.data?.data.map((app) => (
          <option key={app.id} value={app.uid ?? app.id} label={app.name} />
        ))}
      </datalist>
      {draft.routes.map((route, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other identity while they are typed
        <div key={i} className="flex items-end gap-2">
          <Field label={t("src.routes.app")} className="flex-1">
            <TextInput
              mono
              list={list}
              value={route.app}
              onChange={(event) => change(i, { app: event.target.value })}
            />
          </Field>
          <Field label={t("src.routes.only")} className="flex-1">
            <TextInput
              mono
              placeholder={t("src.routes.all")}
              value={route.only}
              onChange={(event) => change(i, { only: event.target.value })}
            />
          </Field>
          <IconButton
            icon={X}
            label={t("src.routes.remove", { app: route.app || String(i + 1) })}
            onClick={() => set({ routes: draft.routes.filter((_, at) => at !== i) })}
          />
        </div>
      ))}
      {wrong && (
        <p role="alert" className="text-failed text-xs">
          {wrong}
        </p>
      )}
      <Button
        icon={Plus}
        className="self-start"
        onClick={() => set({ routes: [...draft.routes, { app: "", only: "" }] })}
      >
        {t("src.routes.add")}
      </Button>
    </fieldset>
  );
}
