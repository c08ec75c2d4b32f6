import { expect, test } from "vitest";
import { exampleOf, exampleText, rowsOf, versionsOf } from "./schema";

const invoice = {
  type: "object",
  required: ["id", "lines"],
  properties: {
    id: { type: "string", description: "Id of the invoice" },
    amount: { type: "integer", minimum: 5, maximum: 10 },
    state: { enum: ["open", "paid"] },
    note: { type: ["string", "null"], deprecated: true },
    at: { type: "string", format: "date-time" },
    lines: { type: "array", items: { $ref: "#/definitions/line" } },
  },
  definitions: {
    line: { type: "object", properties: { sku: { type: "string" }, next: { $ref: "#/definitions/line" } } },
  },
};

test("members are listed with their place, type and rules", () => {
  const rows = rowsOf(invoice);
  expect(rows.map((row) => [row.path, row.type, row.required])).toEqual([
    ["id", "string", true],
    ["amount", "integer", false],
    ["state", "string", false],
    ["note", "string | null", false],
    ["at", "string", false],
    ["lines", "object[]", true],
    ["lines[].sku", "string", false],
    ["lines[].next", "object", false],
  ]);
  expect(rows[0]?.description).toBe("Id of the invoice");
  expect(rows[1]?.limits).toEqual([
    { kind: "min", value: "5" },
    { kind: "max", value: "10" },
  ]);
  expect(rows[2]?.limits).toEqual([{ kind: "oneOf", values: '"open", "paid"' }]);
  expect(rows[3]?.deprecated).toBe(true);
});

test("an example is made of what the schema says", () => {
  expect(exampleOf({ ...invoice, properties: { ...invoice.properties, lines: undefined } })).toEqual({
    id: "id",
    amount: 5,
    state: "open",
    note: "note",
    at: "2026-01-31T12:00:00Z",
  });
  expect(exampleOf({ examples: [{ n: 1 }], properties: { n: { type: "string" } } })).toEqual({ n: 1 });
  expect(exampleOf({ allOf: [{ properties: { a: { const: 7 } } }, { properties: { b: { default: [] } } }] })).toEqual({
    a: 7,
    b: [],
  });
  expect(exampleOf({ properties: { x: { anyOf: [{ type: "boolean" }, { type: "null" }] } } })).toEqual({ x: true });
  expect(exampleOf(5)).toBeUndefined();
  expect(exampleOf({ type: "array" })).toBeUndefined();
});

test("a schema that refers to itself ends", () => {
  const loop = { type: "object", properties: { again: { $ref: "#" } } };
  expect(rowsOf(loop).length).toBeGreaterThan(0);
  expect(exampleOf(loop)).toHaveProperty("again.again");
  expect(rowsOf({ $ref: "#" })).toEqual([]);
});

test("the example of version 1 is what the server sends, so it comes first", () => {
  expect(versionsOf({ "2": {}, "10": {}, "1": {} })).toEqual(["10", "2", "1"]);
  expect(exampleText({ "1": { examples: [{ old: 1 }] }, "2": { examples: [{ fresh: 1 }] } })).toContain("old");
  expect(exampleText({ "1": {}, "2": { examples: [{ fresh: 1 }] } })).toContain("fresh");
  expect(exampleText(null)).toBeUndefined();
});
