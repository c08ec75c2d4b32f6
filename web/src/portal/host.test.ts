import { expect, test } from "vitest";
import { codeIn } from "./host";

test("only a message that says it has a code has one", () => {
  expect(codeIn({ grapnel: "code", code: "gc_1" })).toBe("gc_1");
  for (const data of [
    null,
    "gc_1",
    7,
    {},
    { code: "gc_1" },
    { grapnel: "height", code: "gc_1" },
    { grapnel: "code", code: 7 },
  ])
    expect(codeIn(data)).toBe("");
});
