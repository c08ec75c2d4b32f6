// What the form of an event type holds, and what of it is sent. Pure.
import { namesOf } from "@/lib/lines";
import type { EventType } from "@/parts/eventtype/queries";
import { versionsOf } from "@/parts/eventtype/schema";

export interface Draft {
  name: string;
  description: string;
  group: string;
  flags: string;
  deprecated: boolean;
  enforce: boolean;
  /** Text of the schema by version; empty texts are none. */
  schemas: Readonly<Record<string, string>>;
}

export const draftOf = (type?: EventType): Draft => ({
  name: type?.name ?? "",
  description: type?.description ?? "",
  group: type?.groupName ?? "",
  flags: (type?.featureFlags ?? []).join(", "),
  deprecated: type?.deprecated ?? false,
  enforce: type?.enforceSchema ?? false,
  schemas: type?.schemas
    ? Object.fromEntries(versionsOf(type.schemas).map((v) => [v, JSON.stringify(type.schemas?.[v], null, 2)]))
    : { "1": "" },
});

/** The version that follows the highest. */
export const nextVersion = (schemas: Draft["schemas"]): string => String(Number(versionsOf(schemas)[0] ?? "0") + 1);

/** Versions whose text is no JSON object. */
export function badSchemas(schemas: Draft["schemas"]): string[] {
  return Object.entries(schemas)
    .filter(([, text]) => text.trim() !== "" && !isObject(text))
    .map(([version]) => version);
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** JSON of all members. Schemas go as they were written: numbers in them keep their digits. */
export function bodyText(draft: Draft, archived: boolean, withName: boolean): string {
  const flags = namesOf(draft.flags);
  const members: [string, string][] = [
    ...(withName ? [["name", JSON.stringify(draft.name.trim())] as [string, string]] : []),
    ["description", JSON.stringify(draft.description.trim())],
    ["groupName", JSON.stringify(draft.group.trim() || null)],
    ["featureFlags", JSON.stringify(flags.length > 0 ? flags : null)],
    ["deprecated", String(draft.deprecated)],
    ["archived", String(archived)],
    ["enforceSchema", String(draft.enforce)],
  ];
  const schemas = versionsOf(draft.schemas)
    .reverse()
    .filter((version) => draft.schemas[version]?.trim())
    .map((version) => `${JSON.stringify(version)}:${draft.schemas[version]?.trim()}`);
  if (schemas.length > 0) members.push(["schemas", `{${schemas.join(",")}}`]);
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}
