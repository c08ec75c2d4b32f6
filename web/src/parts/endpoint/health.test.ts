import { expect, test } from "vitest";
import { joined, rangeOf, ranges } from "./health";

const hours = Array.from({ length: 7 }, (_, i) => ({ at: `h${i}`, succeeded: i, failed: 1 }));

test("hours are joined from the newest on, and none is lost", () => {
  expect(joined(hours, 3)).toEqual([
    { at: "h0", succeeded: 0, failed: 1 },
    { at: "h1", succeeded: 6, failed: 3 },
    { at: "h4", succeeded: 15, failed: 3 },
  ]);
  expect(joined(hours, 1)).toEqual(hours);
  expect(joined([], 3)).toEqual([]);
});

test("what the address says of the range is one of those there are", () => {
  expect(rangeOf("week")).toBe("week");
  expect(rangeOf("year")).toBe("day");
  expect(rangeOf(undefined)).toBe("day");
  for (const { hours: n, step } of Object.values(ranges)) expect(n % step).toBe(0);
});
