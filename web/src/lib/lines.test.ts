import { expect, test } from "vitest";
import { linesText, readLines } from "./lines";

test("metadata survives being edited", () => {
  const metadata = { plan: "gold", url: "https://example.com" };
  expect(readLines(linesText(metadata))).toEqual(metadata);
  expect(readLines("\n a : b \n\n")).toEqual({ a: "b" });
});

test("the line without a colon is named", () => {
  expect(readLines("a: b\nc")).toBe(2);
  expect(readLines(": b")).toBe(1);
});
