import { expect, test } from "vitest";
import { ApiError } from "@/lib/api";
import { badLines, bodyOf, draftOf, elsewhere, faultIn, patchOf } from "./form";

const draft = { ...draftOf(), url: " https://a.test/x ", channels: "b, a,b", throttle: "5", headers: "X-Key: 1" };

test("a new endpoint is sent without what was left empty", () => {
  expect(bodyOf(draft, true)).toEqual({
    url: "https://a.test/x",
    channels: ["b", "a"],
    throttleRate: 5,
    headers: { "X-Key": "1" },
  });
  expect(bodyOf({ ...draft, eventTypes: [], secret: "whsec_x" }, false)).toMatchObject({ secret: "whsec_x" });
});

test("a change says all that the form shows, and nothing else", () => {
  expect(patchOf({ ...draft, channels: "", throttle: "" }, false)).toEqual({
    url: "https://a.test/x",
    description: "",
    eventTypes: null,
    channels: null,
    throttleRate: null,
  });
  expect(patchOf({ ...draft, metadata: "plan: gold" }, true)).toMatchObject({ uid: null, metadata: { plan: "gold" } });
});

test("lines without a colon are named", () => {
  expect(badLines(draft)).toEqual({});
  expect(badLines({ ...draft, headers: "a: b\nc", metadata: "x" })).toEqual({ headers: 2, metadata: 1 });
});

test("a fault inside a member belongs to its field", () => {
  const error = new ApiError(422, "validation", "x", "", "", [
    { loc: ["body", "url"], msg: "must be https" },
    { loc: ["body", "channels", "[1]"], msg: "has a blank" },
  ]);
  expect(faultIn(error, "url")).toBe("must be https");
  expect(faultIn(error, "channels")).toBe("[1]: has a blank");
  expect(faultIn(error, "channels", ["a", "b c"])).toBe("b c: has a blank");
  expect(faultIn(error, "uid")).toBeUndefined();
  expect(elsewhere(error, ["url"])).toBe(false);
  expect(elsewhere(error, ["uid"])).toBe(true);
});
