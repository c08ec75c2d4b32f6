import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { t } from "@/lib/i18n";
import { exampleOf, versionsOf } from "@/parts/eventtype/schema";
import { Button } from "@/ui/Button";
import { Editor } from "@/ui/payload";
import { Select } from "@/ui/Select";
import { nextVersion } from "./form";
import { schemaText } from "./infer";

interface SchemasFieldProps {
  /** Text by version. */
  schemas: Readonly<Record<string, string>>;
  onChange(schemas: Readonly<Record<string, string>>): void;
  /** Versions whose text is no object. */
  bad: readonly string[];
  /** What the server said of them. */
  error?: string;
}

/** The schemas of an event type, one version at a time. */
export function SchemasField({ schemas, onChange, bad, error }: SchemasFieldProps) {
  const versions = versionsOf(schemas);
  const [chosen, setChosen] = useState(versions[0] ?? "1");
  const [example, setExample] = useState<string | null>(null);
  const version = versions.includes(chosen) ? chosen : (versions[0] ?? "1");
  const text = schemas[version] ?? "";
  const next = nextVersion(schemas);
  const add = () => {
    onChange({ ...schemas, [next]: text });
    setChosen(next);
  };
  const remove = () => {
    const rest = Object.fromEntries(Object.entries(schemas).filter(([name]) => name !== version));
    onChange(rest);
    setChosen(versionsOf(rest)[0] ?? "1");
  };
  const made = example === null ? undefined : schemaText(example);
  const withExample = exampled(text);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-2">
        {versions.length > 1 && (
          <div className="w-36">
            <Select
              label={t("type.version")}
              value={version}
              onChange={setChosen}
              options={versions.map((value) => ({ value, label: t("type.versionN", { n: value }) }))}
            />
          </div>
        )}
        {text.trim() !== "" && (
          <Button icon={Plus} look="quiet" onClick={add}>
            {t("type.addVersion", { n: next })}
          </Button>
        )}
        {versions.length > 1 && (
          <Button icon={Trash2} look="quiet" onClick={remove}>
            {t("type.removeVersion", { n: version })}
          </Button>
        )}
      </div>
      <Editor
        label={t("type.schemaOf")}
        hint={t("type.schemaOf.hint")}
        error={error ?? (bad.includes(version) ? t("type.notObject") : undefined)}
        value={text}
        language="json"
        rows={12}
        onChange={(value) => onChange({ ...schemas, [version]: value })}
      />
      {withExample && (
        <div>
          <Button onClick={() => onChange({ ...schemas, [version]: withExample })}>
            {t("type.schema.addExample")}
          </Button>
        </div>
      )}
      <details>
        <summary className="cursor-default rounded-sm font-medium text-ink-2">{t("type.schema.make")}</summary>
        <div className="flex flex-col items-start gap-2 pt-2">
          <div className="w-full">
            <Editor
              label={t("type.schema.from")}
              hint={t("type.schema.fromHint")}
              value={example ?? ""}
              language="json"
              rows={6}
              onChange={setExample}
            />
          </div>
          <Button disabled={made === undefined} onClick={() => made && onChange({ ...schemas, [version]: made })}>
            {t("type.schema.use")}
          </Button>
        </div>
      </details>
    </div>
  );
}

/** The schema with an example made of it, where it has none; undefined otherwise. */
function exampled(text: string): string | undefined {
  try {
    const schema = JSON.parse(text) as Record<string, unknown>;
    if (typeof schema !== "object" || schema === null || schema.examples !== undefined) return undefined;
    const example = exampleOf(schema);
    return example && JSON.stringify({ ...schema, examples: [example] }, null, 2);
  } catch {
    return undefined;
  }
}
