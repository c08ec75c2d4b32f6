// A first schema out of an example, for the writer to go on from. Pure.

/** JSON Schema of a value: all its members, those of every item of a list together. */
export function schemaOf(value: unknown): Record<string, unknown> {
  if (value === null) return { type: "null" };
  if (Array.isArray(value)) {
    const items = value.map(schemaOf);
    return items.length === 0 ? { type: "array" } : { type: "array", items: items.reduce(joined) };
  }
  switch (typeof value) {
    case "object":
      return {
        type: "object",
        required: Object.keys(value as object),
        properties: Object.fromEntries(
          Object.entries(value as object).map(([name, member]) => [name, schemaOf(member)]),
        ),
      };
    case "number":
      return { type: Number.isInteger(value) ? "integer" : "number" };
    case "boolean":
      return { type: "boolean" };
    default:
      return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(String(value))
        ? { type: "string", format: "date-time" }
        : { type: "string" };
  }
}

type Schema = Record<string, unknown>;

/** What fits both. */
function joined(a: Schema, b: Schema): Schema {
  if (a.type === "object" && b.type === "object") {
    const [left, right] = [a.properties as Schema, b.properties as Schema];
    const properties = { ...left };
    for (const [name, member] of Object.entries(right))
      properties[name] = name in left ? joined(left[name] as Schema, member as Schema) : member;
    const needed = (b.required as string[]).filter((name) => (a.required as string[]).includes(name));
    return { type: "object", ...(needed.length > 0 && { required: needed }), properties };
  }
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  const types = [...new Set([a.type, b.type].flat())];
  const numbers = types.every((type) => type === "integer" || type === "number");
  return { type: numbers ? "number" : types.length === 1 ? types[0] : types };
}

/** The schema of an example payload that carries the example, laid out; undefined for what is no JSON object. */
export function schemaText(example: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(example);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return JSON.stringify({ ...schemaOf(value), examples: [value] }, null, 2);
}
