import { expect, test } from "vitest";
import { cli, curl, javascript, python, shellWord } from "./snippets";

const call = { method: "POST", path: "api/v1/app/acme/msg", body: `{"a":"it's"}` } as const;

test("words are quoted for the shell", () => {
  expect(shellWord("plain-word.1")).toBe("plain-word.1");
  expect(shellWord("it's $HOME")).toBe(`'it'\\''s $HOME'`);
  expect(cli(["send", "a b"], "http://x")).toBe("grapnel send 'a b' --server http://x");
});

test("the body goes byte for byte, and the key only by its name", () => {
  expect(curl(call, "http://x")).toBe(
    `curl -X POST http://x/api/v1/app/acme/msg \\\n  -H "Authorization: Bearer $GRAPNEL_API_KEY" \\\n  -H 'Content-Type: application/json' \\\n  --data-binary '{"a":"it'\\''s"}'`,
  );
  expect(javascript(call, "http://x")).toContain(`body: "{\\"a\\":\\"it's\\"}"`);
  expect(python(call, "http://x")).toContain(`os.environ["GRAPNEL_API_KEY"]`);
});

test("an ingest address gets no key", () => {
  expect(curl({ ...call, url: "http://x/in/abc" }, "http://x")).not.toContain("Authorization");
});
