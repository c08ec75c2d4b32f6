import { expect, test } from "vitest";
import { badSchemas, bodyText, draftOf, nextVersion } from "./form";

test("a schema goes as it was written", () => {
  const draft = {
    ...draftOf(),
    name: "a.b",
    description: "x",
    schemas: { "1": '{"maximum": 12345678901234567890}', "2": " " },
  };
  expect(bodyText(draft, false, true)).toBe(
    '{"name":"a.b","description":"x","groupName":null,"featureFlags":null,"deprecated":false,"archived":false,"enforceSchema":false,"schemas":{"1":{"maximum": 12345678901234567890}}}',
  );
  expect(JSON.parse(bodyText({ ...draft, flags: "beta, new" }, true, false))).toMatchObject({
    featureFlags: ["beta", "new"],
    archived: true,
  });
  expect(JSON.parse(bodyText({ ...draft, schemas: {} }, false, false))).not.toHaveProperty("schemas");
});

test("what is no object is named", () => {
  expect(badSchemas({ "1": "{}", "2": "[]", "3": "{", "4": "" })).toEqual(["2", "3"]);
});

test("versions go on from the highest", () => {
  expect(nextVersion({ "1": "", "10": "" })).toBe("11");
  expect(nextVersion({})).toBe("1");
});
