import { expect, test } from "vitest";
import { laidOut } from "./Editor";

test("laying out changes no token", () => {
  expect(laidOut('{"a":[1.50,{}],"b":"x, {y}","n":12345678901234567890}')).toBe(
    '{\n  "a": [\n    1.50,\n    {}\n  ],\n  "b": "x, {y}",\n  "n": 12345678901234567890\n}',
  );
});
