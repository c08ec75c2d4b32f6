import { expect, test } from "vitest";
import { fromLocal, localText, progressOf, sinceOf, takes, troubleOf } from "./recover";

const now = new Date("2026-11-24T12:00:30Z");

test("a range begins on a whole minute and never too far back", () => {
  expect(sinceOf("hour", now).toISOString()).toBe("2026-11-24T11:00:00.000Z");
  expect(sinceOf("week", now).toISOString()).toBe("2026-11-17T12:00:00.000Z");
  expect(sinceOf("longest", now).toISOString()).toBe("2026-11-10T12:01:00.000Z");
  const old = new Date("2026-01-01T00:00:00Z");
  expect(sinceOf("trouble", now, old)).toEqual(sinceOf("longest", now));
  expect(sinceOf("trouble", now, new Date("2026-11-24T10:05:59Z")).toISOString()).toBe("2026-11-24T10:05:00.000Z");
});

test("trouble began at the first failure, or when it was disabled", () => {
  expect(troubleOf({})).toBeUndefined();
  expect(troubleOf({ disabledAt: "2026-11-24T10:00:00Z", failingSince: "2026-11-20T10:00:00Z" })?.toISOString()).toBe(
    "2026-11-20T10:00:00.000Z",
  );
});

test("local times survive the input", () => {
  const at = new Date(2026, 10, 4, 3, 7);
  expect(localText(at)).toBe("2026-11-04T03:07");
  expect(fromLocal(localText(at))).toEqual(at);
  expect(fromLocal("")).toBeUndefined();
  expect(fromLocal("soon")).toBeUndefined();
});

test("progress is read off what the task says", () => {
  expect(progressOf({ data: { messagesSent: 3, total: 10, rate: 5, canceled: true } })).toMatchObject({
    sent: 3,
    total: 10,
    rate: 5,
    canceled: true,
  });
  expect(progressOf({ data: {} })).toMatchObject({ sent: 0, total: undefined, canceled: false });
  expect(takes(100, 10)).toBe(10_000);
  expect(takes(100, undefined)).toBeUndefined();
});
