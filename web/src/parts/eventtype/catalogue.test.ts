import { expect, test } from "vitest";
import { grouped } from "./catalogue";

const types = [
  { name: "user.created", groupName: null, description: "Somebody signed up" },
  { name: "invoice.paid", groupName: null, description: "" },
  { name: "ping", groupName: null, description: "" },
  { name: "charge.failed", groupName: "invoice", description: "Money did not come" },
];

test("types stand under their group, or under the beginning of their name", () => {
  expect(grouped(types).map((group) => [group.name, group.types.map((type) => type.name)])).toEqual([
    ["invoice", ["charge.failed", "invoice.paid"]],
    ["ping", ["ping"]],
    ["user", ["user.created"]],
  ]);
});

test("every word must be somewhere in name, group or description", () => {
  const found = (find: string) => grouped(types, find).flatMap((group) => group.types.map((type) => type.name));
  expect(found("invoice")).toEqual(["charge.failed", "invoice.paid"]);
  expect(found("MONEY invoice")).toEqual(["charge.failed"]);
  expect(found("money user")).toEqual([]);
});
