import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { t } from "@/lib/i18n";
import { namesOf } from "@/lib/lines";
import { Checkbox, RadioGroup } from "@/ui/Choice";
import { Field, TextInput } from "@/ui/Field";
import { ErrorText, Skeleton } from "@/ui/States";
import { type Group, grouped } from "./catalogue";
import { catalogueQuery, type EventType } from "./queries";

interface EventTypeChooserProps {
  /** The chosen names; null for all, also those that are to come. */
  value: readonly string[] | null;
  onChange(value: string[] | null): void;
  error?: string;
  /** True for endpoints of sources: their types are words of the provider, in no catalogue. */
  free?: boolean;
}

/** Which event types an endpoint gets: all, or some of the catalogue. */
export function EventTypeChooser({ value, onChange, error, free }: EventTypeChooserProps) {
  // What was ticked comes back when somebody looks at "all" and returns.
  const [kept, setKept] = useState<string[]>([...(value ?? [])]);
  const [words, setWords] = useState((value ?? []).join(", "));
  const choose = (names: string[]) => {
    setKept(names);
    onChange(names);
  };
  return (
    <div className="flex flex-col gap-2">
      <RadioGroup
        label={t("ep.types")}
        value={value === null ? "all" : "some"}
        onChange={(next) => onChange(next === "all" ? null : kept)}
        options={[
          { value: "all", label: t("ep.types.all"), hint: t("ep.types.all.hint") },
          { value: "some", label: t("ep.types.some") },
        ]}
      />
      {value !== null &&
        (free ? (
          <Field label={t("ep.types")} labelHidden hint={t("ep.types.words")} error={error}>
            <TextInput
              mono
              value={words}
              onChange={(event) => {
                setWords(event.target.value);
                choose(namesOf(event.target.value));
              }}
            />
          </Field>
        ) : (
          <Tree value={value} onChange={choose} />
        ))}
      {error && (value === null || !free) && (
        <p role="alert" className="text-failed text-xs">
          {error}
        </p>
      )}
    </div>
  );
}

function Tree({ value, onChange }: { value: readonly string[]; onChange(value: string[]): void }) {
  const [find, setFind] = useState("");
  const types = useQuery(catalogueQuery());
  if (types.error) return <ErrorText error={types.error} />;
  if (!types.data) return <Skeleton rows={4} />;
  const known = new Set(types.data.map((type) => type.name));
  const chosen = new Set(value);
  const gone = value.filter((name) => !known.has(name));
  const set = (names: readonly string[], on: boolean) => {
    const next = new Set(chosen);
    for (const name of names) on ? next.add(name) : next.delete(name);
    onChange([...next].sort());
  };
  const groups = grouped(types.data, find);
  return (
    <div className="flex flex-col rounded border border-line">
      {types.data.length > 8 && (
        <Field label={t("ep.types.find")} labelHidden className="border-line border-b p-2">
          <TextInput placeholder={t("ep.types.find")} value={find} onChange={(event) => setFind(event.target.value)} />
        </Field>
      )}
      <div className="max-h-72 overflow-y-auto px-3 py-2">
        {gone.length > 0 && (
          <GroupOf
            group={{ name: t("ep.types.gone"), types: gone.map((name) => ({ name, description: "" })) }}
            chosen={chosen}
            set={set}
          />
        )}
        {groups.map((group) => (
          <GroupOf key={group.name} group={group} chosen={chosen} set={set} />
        ))}
        {groups.length === 0 && gone.length === 0 && (
          <p className="text-ink-2">{types.data.length === 0 ? t("ep.types.empty") : t("combobox.none")}</p>
        )}
      </div>
      <p role="status" className="border-line border-t px-3 py-1 text-ink-3 text-xs">
        {t("ep.types.chosen", { n: chosen.size })}
      </p>
    </div>
  );
}

interface GroupOfProps {
  group: Group<Pick<EventType, "name" | "description"> & Partial<EventType>>;
  chosen: ReadonlySet<string>;
  set(names: readonly string[], on: boolean): void;
}

function GroupOf({ group, chosen, set }: GroupOfProps) {
  const names = group.types.map((type) => type.name);
  const on = names.filter((name) => chosen.has(name)).length;
  return (
    <fieldset className="pb-1">
      <legend className="sr-only">{group.name}</legend>
      {names.length > 1 && (
        <Checkbox
          label={<span className="font-medium">{group.name}</span>}
          checked={on === names.length}
          mixed={on > 0 && on < names.length}
          onChange={(all) => set(names, all)}
        />
      )}
      <ul className={names.length > 1 ? "pl-6" : undefined}>
        {group.types.map((type) => (
          <li key={type.name}>
            <Checkbox
              label={
                <>
                  <span className="data">{type.name}</span>
                  {type.deprecated && <span className="ml-2 text-retrying text-xs">{t("type.deprecated")}</span>}
                </>
              }
              hint={type.description || undefined}
              checked={chosen.has(type.name)}
              onChange={(one) => set([type.name], one)}
            />
          </li>
        ))}
      </ul>
    </fieldset>
  );
}
