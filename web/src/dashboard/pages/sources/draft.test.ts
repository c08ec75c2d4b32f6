import { describe, expect, it } from "vitest";
import { bodyOf, draftOf, newBodyOf, unreadable } from "./draft";
import type { Source, SourceType } from "./queries";
import { settings, typed, verificationOf } from "./verification";

const type: SourceType = {
  name: "meta",
  title: "Meta",
  scheme: "",
  headers: [],
  secretHelp: "",
  secretOptional: false,
  settings: ["verifyToken", "legacySha1", "toleranceSeconds"],
  samples: [],
  toleranceSeconds: 0,
};

describe("a new source", () => {
  it("says only what was changed", () => {
    expect(newBodyOf(type, { ...draftOf(type), secret: " s3cret " })).toEqual({
      type: "meta",
      name: "Meta",
      secrets: [{ value: "s3cret" }],
    });
  });

  it("of type cron has a schedule and nothing of senders", () => {
    const cron = { ...type, name: "cron", settings: [] };
    const draft = draftOf(cron);
    const body = newBodyOf(cron, {
      ...draft,
      name: "Nightly",
      cron: { ...draft.cron, schedule: "0 3 * * *", timeZone: "" },
    });
    expect(body).toEqual({ type: "cron", name: "Nightly", cron: { schedule: "0 3 * * *", payload: "{}" } });
  });
});

describe("a change", () => {
  const source = {
    name: "Meta",
    uid: "meta",
    metadata: { team: "a" },
    verification: { verifyToken: "t", legacySha1: true },
    routes: [{ app: "app_1", only: ["x"], eventType: { fixed: "y" } }],
    dedupe: { by: "body", at: "data.id" },
    eventType: { header: "X-Type" },
    responses: [{ status: 204 }],
    rate: 5,
    maxBody: null,
    methods: ["PUT"],
    requireJson: true,
    emptyBody: false,
    forwardHeaders: [],
    allowNets: ["192.0.2.0/24"],
    clientCa: null,
  } as unknown as Source;

  it("that changes nothing says what is there", () => {
    const { name, uid, metadata, verification, routes, dedupe, eventType, responses, rate, methods } = source;
    expect(bodyOf(type, draftOf(type, source))).toMatchObject({
      name,
      uid,
      metadata,
      verification,
      routes,
      dedupe,
      eventType,
      responses,
      rate,
      methods,
      allowNets: ["192.0.2.0/24"],
      maxBody: null,
    });
  });

  it("that empties a field takes it away", () => {
    const emptied = { ...draftOf(type, source), uid: "", rate: "", allowNets: "", responses: "", metadata: "" };
    expect(bodyOf(type, { ...emptied, dedupeBy: "provider", typeBy: "provider" })).toMatchObject({
      uid: null,
      rate: null,
      allowNets: null,
      responses: [],
      metadata: {},
      dedupe: null,
      eventType: null,
    });
  });

  it("cannot be made of what cannot be read", () => {
    const draft = { ...draftOf(type, source), responses: "[", metadata: "a: b\nnothing" };
    expect(unreadable(type, draft)).toEqual({ responses: true, metadata: 2 });
    expect(unreadable(type, draftOf(type, source))).toEqual({});
  });
});

it.each(Object.keys(settings))("the setting %s comes back as it was", (name) => {
  const values: Record<string, unknown> = {
    number: 5,
    text: "a b",
    list: ["a", "b"],
    flag: true,
    json: { signatureHeader: "X" },
  };
  const value = values[settings[name as keyof typeof settings].kind];
  expect(verificationOf([name], typed([name], { [name]: value }))).toEqual({ [name]: value });
  const empty = verificationOf([name], typed([name], {}));
  expect(empty === null || name === "generic" || Object.keys(empty).length === 0).toBe(true);
});
