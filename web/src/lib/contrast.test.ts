import { expect, it } from "vitest";
import { contrast, grounds, leastContrast, lightened, onColour } from "./contrast";

it("measures as WCAG does", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
  expect(contrast("#767676", "#ffffff")).toBeCloseTo(4.54, 2);
  expect(contrast("#767676", "red")).toBe(0);
});

it.each(["#e4572e", "#1a7f4b", "#0000ff", "#ffff00", "#000000", "#ffffff", "#777777"])(
  "text on %s, and it on the dark ground, can be read",
  (accent) => {
    expect(contrast(onColour(accent), accent)).toBeGreaterThanOrEqual(leastContrast);
    expect(contrast(lightened(accent), grounds.dark)).toBeGreaterThanOrEqual(leastContrast);
  },
);
