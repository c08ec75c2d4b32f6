import { expect, test } from "vitest";
import { schemaOf, schemaText } from "./infer";

test("a schema tells the members of an example", () => {
  expect(schemaOf({ id: "in_1", amount: 5, rate: 0.5, paid: true, note: null, at: "2026-01-31T12:00:00Z" })).toEqual({
    type: "object",
    required: ["id", "amount", "rate", "paid", "note", "at"],
    properties: {
      id: { type: "string" },
      amount: { type: "integer" },
      rate: { type: "number" },
      paid: { type: "boolean" },
      note: { type: "null" },
      at: { type: "string", format: "date-time" },
    },
  });
});

test("items of a list are told together", () => {
  expect(schemaOf([{ a: 1, b: "x" }, { a: 0.5 }])).toEqual({
    type: "array",
    items: { type: "object", required: ["a"], properties: { a: { type: "number" }, b: { type: "string" } } },
  });
  expect(schemaOf([])).toEqual({ type: "array" });
  expect(schemaOf([1, "x"])).toEqual({ type: "array", items: { type: ["integer", "string"] } });
});

test("only objects become a schema, and carry their example", () => {
  expect(JSON.parse(schemaText('{"n":1}') ?? "")).toMatchObject({ type: "object", examples: [{ n: 1 }] });
  expect(schemaText("[1]")).toBeUndefined();
  expect(schemaText("{")).toBeUndefined();
});
