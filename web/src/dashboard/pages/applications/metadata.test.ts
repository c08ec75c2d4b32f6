import { expect, test } from "vitest";
import { metadataText, readMetadata } from "./metadata";

test("metadata survives being edited", () => {
  const metadata = { plan: "gold", url: "https://example.com" };
  expect(readMetadata(metadataText(metadata))).toEqual(metadata);
  expect(readMetadata("\n a : b \n\n")).toEqual({ a: "b" });
});

test("the line without a colon is named", () => {
  expect(readMetadata("a: b\nc")).toBe(2);
  expect(readMetadata(": b")).toBe(1);
});
