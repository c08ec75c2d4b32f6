import { expect, test } from "vitest";
import { exampleOf, names, publishBody } from "./publish";

test("the payload goes as it was written", () => {
  const body = publishBody({
    eventType: "a",
    payload: ' {"n":12345678901234567890} ',
    eventId: "",
    channels: [],
    tags: ["x"],
  });
  expect(body).toBe('{"eventType":"a","payload":{"n":12345678901234567890},"tags":["x"]}');
  expect(publishBody({ eventType: 'a"', payload: "", eventId: " e ", channels: ["c"], tags: [] })).toBe(
    '{"eventType":"a\\"","payload":{},"eventId":"e","channels":["c"]}',
  );
});

test("names are separated by commas, each once", () => {
  expect(names(" a, b,,a ")).toEqual(["a", "b"]);
});

test("the example of the newest schema is taken", () => {
  expect(exampleOf({ "1": { examples: [{ a: 1 }] }, "10": { examples: [{ b: 2 }] } })).toBe('{\n  "b": 2\n}');
  expect(exampleOf({ "1": {} })).toBeUndefined();
  expect(exampleOf(null)).toBeUndefined();
});
