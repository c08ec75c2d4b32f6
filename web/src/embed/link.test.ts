import { expect, test } from "vitest";
import { addressOf, codeOf, linkIn } from "./link";

const link = "https://hooks.example.com/portal/e/org_1#code=gc_1";

test("language and theme go into the address, the code stays behind the #", () => {
  expect(addressOf(link, "de", "dark")).toBe("https://hooks.example.com/portal/e/org_1?lang=de&theme=dark#code=gc_1");
  expect(addressOf(link, null, null)).toBe(link);
});

test("what is no web address is not put into a frame", () => {
  for (const bad of ["", "javascript:alert(1)", "data:text/html,x", "/portal"])
    expect(addressOf(bad, null, null)).toBe("");
});

test("a fresh link is taken as text or from JSON", () => {
  for (const answer of [link, ` ${link}\n`, JSON.stringify({ url: link, token: "x" })]) {
    expect(linkIn(answer)).toBe(link);
    expect(codeOf(linkIn(answer))).toBe("gc_1");
  }
  expect(linkIn('{"url":7}')).toBe("");
  expect(codeOf("gc_1")).toBe("");
});
