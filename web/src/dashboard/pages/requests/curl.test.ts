import { expect, it } from "vitest";
import { curlOf } from "./curl";
import type { Request } from "./queries";

const request = {
  method: "POST",
  query: "a=1&b=2",
  bodySize: 8,
  headers: [
    ["Content-Length", "8"],
    ["Content-Type", "application/json"],
    ["Host", "hooks.example.com"],
    ["X-Secret", "[redacted]"],
    ["X-Text", "it's"],
  ],
} as unknown as Request;
const bytes = (text: string) => new TextEncoder().encode(text);

it("sends the same body and headers, without what belongs to the connection or is kept back", () => {
  expect(curlOf(request, bytes("{'a': 1}"), "http://127.0.0.1:3000/x")).toBe(
    `curl -X POST 'http://127.0.0.1:3000/x?a=1&b=2' \\
  -H 'Content-Type: application/json' \\
  -H 'X-Text: it'\\''s' \\
  --data-binary '{'\\''a'\\'': 1}'`,
  );
});

it.each([
  ["that is not text", new Uint8Array([0xff, 0xfe])],
  ["with a zero byte", bytes("a\0b")],
  ["that is long", bytes("x".repeat(20_000))],
  ["that is not here", undefined],
])("takes a body %s from a file", (_, body) => {
  expect(curlOf(request, body, "http://127.0.0.1:3000")).toMatch(/--data-binary @body$/);
});

it("sends no body where there was none", () => {
  expect(curlOf({ ...request, bodySize: 0 }, undefined, "http://127.0.0.1:3000")).not.toContain("--data-binary");
});
