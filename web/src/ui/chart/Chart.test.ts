import { expect, test } from "vitest";
import { roundUp } from "./Chart";

test("the top of a chart is a round number that nothing exceeds", () => {
  for (const [n, want] of [
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 5],
    [7, 10],
    [11, 20],
    [480, 500],
    [501, 1000],
  ] as const)
    expect(roundUp(n)).toBe(want);
});
