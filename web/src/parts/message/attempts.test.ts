import { expect, test } from "vitest";
import {
  type Attempt,
  brokenIn,
  byEndpoint,
  deliveredAfter,
  marksOf,
  phasesOf,
  sentenceOf,
  signatureOf,
  stateOf,
} from "./attempts";

const none = { queueMs: 0, dnsMs: 0, connectMs: 0, tlsMs: 0, firstByteMs: 0, bodyMs: 0 };
const made = (over: Partial<Attempt>): Attempt => ({
  id: "atmpt_1",
  msgId: "msg_1",
  endpointId: "ep_1",
  url: "https://example.com",
  attemptNumber: 1,
  triggerType: 0,
  status: 2,
  statusText: "fail",
  responseStatusCode: 0,
  response: "",
  responseDurationMs: 0,
  timestamp: "2026-11-01T00:00:00Z",
  ...over,
});
const counts = { total: 0, delivered: 0, pending: 0, retrying: 0, failed: 0, canceled: 0 };

test("a timeout says how far the connection came", () => {
  const attempt = made({
    outcome: "timeout",
    responseDurationMs: 15_000,
    timings: { ...none, connectMs: 9, tlsMs: 21 },
  });
  expect(sentenceOf(attempt)).toBe("No answer in 15 s. Connected in 9 ms, TLS in 21 ms, then nothing.");
  expect(phasesOf(attempt)).toEqual({ tcp: 9, tls: 21, wait: 14_970 });
  expect(brokenIn(attempt)).toBe("wait");
});

test("an answer is told by its status, a failure by what the server says", () => {
  expect(sentenceOf(made({ status: 0, responseStatusCode: 200, responseDurationMs: 18 }))).toBe(
    "Answered 200 in 18 ms.",
  );
  expect(sentenceOf(made({ outcome: "status_5xx", responseStatusCode: 500, responseDurationMs: 18 }))).toBe(
    "Answered 500 in 18 ms, which is a failure.",
  );
  expect(
    sentenceOf(made({ outcome: "connect", response: "The connection was refused.", timings: { ...none, dnsMs: 4 } })),
  ).toBe("The connection was refused. Name found in 4 ms.");
});

test("a message shows what needs somebody first", () => {
  expect(stateOf({ deliveries: counts })).toBe("skipped");
  expect(stateOf({ deliveries: { ...counts, total: 3, delivered: 2, failed: 1 } })).toBe("failed");
  expect(stateOf({ deliveries: { ...counts, total: 2, delivered: 1, retrying: 1 } })).toBe("retrying");
  expect(stateOf({ deliveries: { ...counts, total: 1, canceled: 1 } })).toBe("canceled");
});

test("marks never leave out what failed", () => {
  expect(marksOf({ deliveries: { ...counts, total: 3, delivered: 2, retrying: 1 } })).toEqual([
    "delivered",
    "delivered",
    "retrying",
  ]);
  expect(marksOf({ deliveries: { ...counts, total: 901, delivered: 900, failed: 1 } })).toEqual([
    "delivered",
    "delivered",
    "delivered",
    "delivered",
    "failed",
  ]);
});

test("attempts are grouped by endpoint, oldest first", () => {
  const last = made({ id: "b", attemptNumber: 2, status: 0, timestamp: "2026-11-01T00:06:00Z" });
  const groups = byEndpoint([last, made({ id: "c", endpointId: "ep_2" }), made({ id: "a" })]);
  expect(groups.get("ep_1")?.map((one) => one.id)).toEqual(["a", "b"]);
  expect(deliveredAfter(groups.get("ep_1") ?? [])).toBe(360_000);
  expect(deliveredAfter(groups.get("ep_2") ?? [])).toBeUndefined();
});

test("the signature is found under both names", () => {
  expect(signatureOf({ "Webhook-Id": "msg_1", "Webhook-Timestamp": "12", "Webhook-Signature": "v1,a v1,b" })).toEqual({
    id: "msg_1",
    timestamp: "12",
    signatures: ["v1,a", "v1,b"],
    scheme: "v1",
    prefix: "webhook",
  });
  expect(signatureOf({ "svix-id": "msg_1", "svix-timestamp": "12", "svix-signature": "v1a,a" })?.scheme).toBe("v1a");
  expect(signatureOf({ "Content-Type": "x" })).toBeUndefined();
});

test("nothing took place after the phase in which it broke", () => {
  const timings = { ...none, dnsMs: 1, connectMs: 2, tlsMs: 3, firstByteMs: 4 };
  expect(phasesOf(made({ outcome: "dns", timings }))).toEqual({ dns: 1 });
  expect(phasesOf(made({ outcome: "connect", timings }))).toEqual({ dns: 1, tcp: 2 });
  expect(phasesOf(made({ outcome: "tls", timings }))).toEqual({ dns: 1, tcp: 2, tls: 3 });
  expect(phasesOf(made({ outcome: "status_5xx", timings }))).toEqual({ dns: 1, tcp: 2, tls: 3, wait: 4 });
  expect(sentenceOf(made({ outcome: "dns", response: "No such host.", timings }))).toBe("No such host.");
});
