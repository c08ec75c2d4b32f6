import { expect, test } from "vitest";
import { offers, quote, termsOf, without, withTerm } from "./terms";

const texts = (query: string) => termsOf(query).map((term) => term.text);

test("terms end at blanks outside of quotes and parentheses", () => {
  expect(texts('  status:failed  app:"Acme \\" Ltd" (a OR b) x')).toEqual([
    "status:failed",
    'app:"Acme \\" Ltd"',
    "(a OR b)",
    "x",
  ]);
  expect(texts('type:"open end')).toEqual(['type:"open end']);
  expect(texts("")).toEqual([]);
});

test("a removed term takes the OR along that joined it", () => {
  expect(without("a OR b", 2)).toBe("a");
  expect(without("a OR b", 0)).toBe("b");
  expect(without("a OR b OR c", 2)).toBe("a OR c");
  expect(without("a b c", 1)).toBe("a c");
});

test("a term is added once", () => {
  expect(withTerm("a b", "b")).toBe("a b");
  expect(withTerm("", "b")).toBe("b");
});

test("values are quoted where the language would read them otherwise", () => {
  expect(quote("invoice.paid")).toBe("invoice.paid");
  expect(quote("Acme Ltd")).toBe('"Acme Ltd"');
  expect(quote("1..2")).toBe('"1..2"');
  expect(quote('a"b')).toBe('"a\\"b"');
});

test("fields are offered first, then their values", () => {
  const fields = [
    { name: "status", doc: "", values: ["failed", "delivered"] },
    { name: "body.", doc: "", values: [] },
  ];
  expect(offers("st", fields).map((offer) => offer.insert)).toEqual(["status:"]);
  expect(offers("-b", fields).map((offer) => offer.insert)).toEqual(["-body."]);
  expect(offers("status:", fields).map((offer) => offer.insert)).toEqual(["status:failed", "status:delivered"]);
  expect(offers("status:failed,del", fields).map((offer) => offer.insert)).toEqual(["status:failed,delivered"]);
  expect(offers("nothing:x", fields)).toEqual([]);
});
