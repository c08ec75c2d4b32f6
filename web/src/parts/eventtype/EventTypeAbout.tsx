import { type ReactNode, useState } from "react";
import { t } from "@/lib/i18n";
import { CodeBlock } from "@/ui/code";
import { Field } from "@/ui/Field";
import { Select } from "@/ui/Select";
import type { EventType } from "./queries";
import { SchemaView } from "./SchemaView";
import { exampleOf, versionsOf } from "./schema";

interface EventTypeAboutProps {
  type: EventType;
  /** Under the description: buttons, who subscribes. */
  children?: ReactNode;
}

/** What an event type means and what comes with it: description, schema and an example. */
export function EventTypeAbout({ type, children }: EventTypeAboutProps) {
  const versions = versionsOf(type.schemas);
  const [chosen, setChosen] = useState("");
  const version = versions.includes(chosen) ? chosen : (versions[0] ?? "");
  const schema = type.schemas?.[version];
  const example = exampleOf(schema);
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <p className="max-w-3xl text-base">
        {type.description || <span className="text-ink-3">{t("type.noDescription")}</span>}
      </p>
      {type.deprecated && <p className="text-retrying">{t("type.deprecated.text")}</p>}
      {children}
      {versions.length > 1 && (
        <Field label={t("type.version")} className="w-40">
          <Select
            label={t("type.version")}
            value={version}
            onChange={setChosen}
            options={versions.map((value) => ({ value, label: t("type.versionN", { n: value }) }))}
          />
        </Field>
      )}
      {schema === undefined ? (
        <p className="text-ink-2">{t("type.noSchema")}</p>
      ) : (
        <>
          <section className="flex flex-col gap-2">
            <h3 className="font-medium text-ink-2">
              {t("type.schema")}
              {type.enforceSchema && version === versions[0] && (
                <span className="ml-2 font-normal text-ink-3">{t("type.enforced")}</span>
              )}
            </h3>
            <SchemaView schema={schema} label={t("type.schema")} />
          </section>
          {example && (
            <section className="flex flex-col gap-2">
              <h3 className="font-medium text-ink-2">{t("type.example")}</h3>
              <CodeBlock label={t("type.example")} text={JSON.stringify(example, null, 2)} />
            </section>
          )}
          <details>
            <summary className="cursor-default rounded-sm font-medium text-ink-2">{t("type.schema.raw")}</summary>
            <div className="pt-2">
              <CodeBlock label={t("type.schema.raw")} text={JSON.stringify(schema, null, 2)} />
            </div>
          </details>
        </>
      )}
    </div>
  );
}
