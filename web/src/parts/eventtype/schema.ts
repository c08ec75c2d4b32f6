// JSON Schemas as people read them, and an example made from one. Pure.

type Schema = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Versions, the highest first. */
export const versionsOf = (schemas: Schema | null | undefined): string[] =>
  Object.keys(schemas ?? {}).sort((a, b) => Number(b) - Number(a));

/** One member of a payload. */
export interface SchemaRow {
  /** Its place: "lines[].amount". */
  path: string;
  name: string;
  depth: number;
  /** "string", "object[]", "string | null". */
  type: string;
  required: boolean;
  deprecated: boolean;
  description: string;
  /** What values may be: "one of a, b", "date-time", "at least 0". */
  limits: readonly Limit[];
}

/** A rule about a value, for the page to put into words. */
export type Limit =
  | { kind: "oneOf"; values: string }
  | { kind: "format"; value: string }
  | { kind: "min" | "max" | "above" | "below" | "pattern" | "default" | "minLength" | "maxLength"; value: string };

const deepest = 8;
const most = 500;

/** The members that a schema tells of, depth first. What refers to itself ends where it does. */
export function rowsOf(schema: unknown): SchemaRow[] {
  const rows: SchemaRow[] = [];
  if (isObject(schema)) members(schema, schema, "", 0, [], rows);
  return rows;
}

function members(
  root: Schema,
  at: Schema,
  path: string,
  depth: number,
  way: readonly Schema[],
  rows: SchemaRow[],
): void {
  if (depth > deepest || way.includes(at)) return;
  for (const part of partsOf(root, at, 0)) {
    const required = Array.isArray(part.required) ? part.required : [];
    if (!isObject(part.properties)) continue;
    for (const [name, value] of Object.entries(part.properties)) {
      if (!isObject(value) || rows.length >= most) continue;
      const own = resolve(root, value);
      const place = path === "" ? name : `${path}.${name}`;
      if (rows.some((row) => row.path === place)) continue;
      rows.push({
        path: place,
        name,
        depth,
        type: typeOf(root, own),
        required: required.includes(name),
        deprecated: own.deprecated === true,
        description: text(value.description) || text(own.description) || text(own.title),
        limits: limitsOf(own),
      });
      const inner = itemsOf(root, own);
      members(root, inner ?? own, inner ? `${place}[]` : place, depth + 1, [...way, at], rows);
    }
  }
}

/** A schema with the parts that are joined into it. */
function partsOf(root: Schema, at: Schema, depth: number): Schema[] {
  if (depth > deepest) return [];
  const joined = ["allOf", "anyOf", "oneOf"].flatMap((word) => (Array.isArray(at[word]) ? at[word] : []));
  return [at, ...joined.filter(isObject).flatMap((part) => partsOf(root, resolve(root, part), depth + 1))];
}

const itemsOf = (root: Schema, at: Schema): Schema | undefined =>
  isObject(at.items) ? resolve(root, at.items) : undefined;

const text = (value: unknown): string => (typeof value === "string" ? value : "");

/** Follows references inside the document; what leads elsewhere stays as it is. */
function resolve(root: Schema, at: Schema): Schema {
  let found = at;
  for (let i = 0; i < 16 && typeof found.$ref === "string" && found.$ref.startsWith("#"); i++) {
    let next: unknown = root;
    for (const step of found.$ref.slice(1).split("/").slice(1)) {
      const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
      next = isObject(next) ? next[name] : undefined;
    }
    if (!isObject(next) || next === found) break;
    found = next;
  }
  return found;
}

function typeOf(root: Schema, at: Schema): string {
  const said = Array.isArray(at.type) ? at.type.filter((one) => typeof one === "string") : [text(at.type)];
  const inner = itemsOf(root, at);
  const names = said
    .filter(Boolean)
    .map((name) => (name === "array" && inner ? bracketed(typeOf(root, { ...inner, items: undefined })) : name));
  if (names.length > 0) return names.join(" | ");
  for (const word of ["oneOf", "anyOf"]) {
    const list = at[word];
    if (Array.isArray(list))
      return [...new Set(list.filter(isObject).map((part) => typeOf(root, resolve(root, part))))].join(" | ");
  }
  if ("const" in at) return kindOf(at.const);
  if (Array.isArray(at.enum)) return [...new Set(at.enum.map(kindOf))].join(" | ");
  return isObject(at.properties) ? "object" : inner ? "array" : "any";
}

const bracketed = (type: string): string => (type.includes(" ") ? `(${type})[]` : `${type}[]`);

const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : typeof value === "bigint" ? "number" : typeof value;

function limitsOf(at: Schema): Limit[] {
  const limits: Limit[] = [];
  const values = "const" in at ? [at.const] : Array.isArray(at.enum) ? at.enum : [];
  if (values.length > 0) limits.push({ kind: "oneOf", values: values.map((one) => JSON.stringify(one)).join(", ") });
  if (text(at.format)) limits.push({ kind: "format", value: text(at.format) });
  const rules = [
    ["minimum", "min"],
    ["maximum", "max"],
    ["exclusiveMinimum", "above"],
    ["exclusiveMaximum", "below"],
    ["minLength", "minLength"],
    ["maxLength", "maxLength"],
    ["pattern", "pattern"],
  ] as const;
  for (const [word, kind] of rules) {
    const value = at[word];
    if (typeof value === "number" || typeof value === "string") limits.push({ kind, value: String(value) });
  }
  if (at.default !== undefined) limits.push({ kind: "default", value: JSON.stringify(at.default) });
  return limits;
}

/** A payload that the schema could stand for: its example, else one made of its members. Undefined for what is no object. */
export function exampleOf(schema: unknown): Schema | undefined {
  if (!isObject(schema)) return undefined;
  const made = sample(schema, schema, "", 0);
  return isObject(made) ? made : undefined;
}

/** The example that a type's schemas hold or give rise to, laid out: that of version 1, which is what the server sends, else the newest. */
export function exampleText(schemas: Schema | null | undefined): string | undefined {
  const own = (schemas?.["1"] as Schema | undefined)?.examples;
  const said = Array.isArray(own) && isObject(own[0]) ? own[0] : undefined;
  const example = said ?? exampleOf(schemas?.[versionsOf(schemas)[0] ?? ""]);
  return example && JSON.stringify(example, null, 2);
}

function sample(root: Schema, given: Schema, name: string, depth: number): unknown {
  const at = resolve(root, given);
  if (Array.isArray(at.examples) && at.examples.length > 0) return at.examples[0];
  if (at.example !== undefined) return at.example;
  if ("const" in at) return at.const;
  if (at.default !== undefined) return at.default;
  if (Array.isArray(at.enum) && at.enum.length > 0) return at.enum[0];
  const type = Array.isArray(at.type) ? at.type.find((one) => one !== "null") : at.type;
  const parts = choice(root, at, 0);
  if (type === "object" || (type === undefined && parts.some((part) => isObject(part.properties)))) {
    if (depth > deepest) return {};
    const made: Record<string, unknown> = {};
    for (const part of parts)
      for (const [key, value] of Object.entries(isObject(part.properties) ? part.properties : {}))
        if (isObject(value)) made[key] = sample(root, value, key, depth + 1);
    return made;
  }
  if (type === "array" || isObject(at.items))
    return isObject(at.items) && depth <= deepest ? [sample(root, at.items, name, depth + 1)] : [];
  const joined = parts.find((part) => part !== at && part.type !== "null");
  if (type === undefined && joined) return sample(root, joined, name, depth + 1);
  return scalar(at, type, name);
}

/** All that is joined by allOf, and the first of what one may choose from. */
function choice(root: Schema, at: Schema, depth: number): Schema[] {
  if (depth > deepest) return [];
  const list = (word: string) => (Array.isArray(at[word]) ? (at[word] as unknown[]).filter(isObject) : []);
  const joined = [...list("allOf"), ...list("oneOf").slice(0, 1), ...list("anyOf").slice(0, 1)];
  return [at, ...joined.flatMap((part) => choice(root, resolve(root, part), depth + 1))];
}

const formats: Readonly<Record<string, string>> = {
  "date-time": "2026-01-31T12:00:00Z",
  date: "2026-01-31",
  time: "12:00:00Z",
  email: "person@example.com",
  uri: "https://example.com/",
  uuid: "3f0a1c52-6a55-4d0e-9d5b-2f5f0a1c5262",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
  hostname: "example.com",
};

function scalar(at: Schema, type: unknown, name: string): unknown {
  const least = typeof at.minimum === "number" ? at.minimum : undefined;
  switch (type) {
    case "integer":
    case "number":
      return least ?? (typeof at.exclusiveMinimum === "number" ? at.exclusiveMinimum + 1 : 1);
    case "boolean":
      return true;
    case "null":
      return null;
    default: {
      const word = formats[text(at.format)] ?? (name || "text");
      return typeof at.minLength === "number" ? word.padEnd(at.minLength, "x") : word;
    }
  }
}
