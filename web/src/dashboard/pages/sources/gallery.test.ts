import { expect, it } from "vitest";
import { groupsOf } from "./gallery";
import type { SourceType } from "./queries";

const type = (name: string, title: string): SourceType => ({
  name,
  title,
  scheme: "",
  headers: [],
  secretHelp: "",
  secretOptional: false,
  settings: [],
  samples: [],
  toleranceSeconds: 0,
});
const all = [
  type("zoom", "Zoom"),
  type("github", "GitHub"),
  type("cron", "Schedule"),
  type("adyen", "Adyen"),
  type("stripe", "Stripe"),
];
const shown = (search: string) => groupsOf(all, search).map((group) => group.types.map(({ name }) => name));

it("puts what most people look for first, and companies by name", () => {
  expect(shown("")).toEqual([["stripe", "github"], ["cron"], ["adyen", "zoom"]]);
});

it("finds by all words, in the name or the title", () => {
  expect(shown("sched")).toEqual([["cron"]]);
  expect(shown("HUB")).toEqual([["github"]]);
  expect(shown("hub zoom")).toEqual([]);
});
