import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { contrast } from "@/lib/contrast";

const css = readFileSync("src/ui/tokens.css", "utf8");

/** The colours of a theme by name: "#rrggbb". */
function colours(theme: "light" | "dark"): Record<string, string> {
  const block = css.slice(css.indexOf(`[data-theme="${theme}"]`)).split("}", 1)[0] ?? "";
  return Object.fromEntries([...block.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((found) => [found[1], found[2]]));
}

const grounds = ["paper", "surface", "sunken", "selected"];
const inks = ["ink", "ink-2", "ink-3"];
const states = ["delivered", "retrying", "failed", "held"];

/** Text and what it stands on (4.5), edges and marks (3). */
const pairs: [text: string, ground: string, least: number][] = [
  ...inks.flatMap((ink) => grounds.map((ground): [string, string, number] => [ink, ground, 4.5])),
  ...states.flatMap((state) =>
    [...grounds, `${state}-soft`].map((ground): [string, string, number] => [state, ground, 4.5]),
  ),
  ...states.map((state): [string, string, number] => ["ink", `${state}-soft`, 4.5]),
  ["on-accent", "accent", 4.5],
  ["on-strip-production", "strip-production", 4.5],
  ["on-strip-test", "strip-test", 4.5],
  ...["paper", "surface"].flatMap((ground): [string, string, number][] => [
    ["edge", ground, 3],
    ["focus", ground, 3],
  ]),
];

describe.each(["light", "dark"] as const)("%s", (theme) => {
  const of = colours(theme);
  it.each(pairs)("%s can be read on %s", (text, ground, least) => {
    const [a, b] = [of[text], of[ground]];
    expect(a && b, `--${text} or --${ground} is no colour`).toBeTruthy();
    expect(contrast(a as string, b as string)).toBeGreaterThanOrEqual(least);
  });
});
