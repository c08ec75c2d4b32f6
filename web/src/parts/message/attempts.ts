// What became of a message, read off its attempts. Pure: pages draw it.
import type { Schema } from "@/lib/api";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import type { Phases } from "@/ui/chart/props";
import type { Status } from "@/ui/Status";

export type Attempt = Schema<"MessageAttemptOut">;
export type Row = Schema<"MessageRow">;
export type Explained = Schema<"ExplainEndpoint">;

/** Which one state a message is shown with: what needs somebody first. */
export function stateOf(row: Pick<Row, "deliveries">): Status {
  const { total, delivered, pending, retrying, failed } = row.deliveries;
  if (total === 0) return "skipped";
  if (failed > 0) return "failed";
  if (retrying > 0) return "retrying";
  if (pending > 0) return "pending";
  return delivered > 0 ? "delivered" : "canceled";
}

/** One mark for each delivery, at most max: what failed is never left out. */
export function marksOf({ deliveries }: Pick<Row, "deliveries">, max = 5): Status[] {
  const order: [Status, number][] = [
    ["failed", deliveries.failed],
    ["retrying", deliveries.retrying],
    ["pending", deliveries.pending],
    ["canceled", deliveries.canceled],
    ["delivered", deliveries.delivered],
  ];
  const kept = order.flatMap(([status, n]) => Array<Status>(Math.min(n, max)).fill(status)).slice(0, max);
  return kept.reverse();
}

/** The state of a verdict, as marks have it. */
export function statusOf(verdict: Explained["verdict"], attempts: number, heldReason?: string): Status {
  if (verdict === "not_matched") return "skipped";
  if (verdict === "pending" && heldReason) return "held";
  return verdict === "pending" && attempts > 0 ? "retrying" : verdict;
}

/** Attempts by endpoint, each oldest first. */
export function byEndpoint(attempts: readonly Attempt[]): Map<string, Attempt[]> {
  const found = new Map<string, Attempt[]>();
  for (const one of attempts) {
    const list = found.get(one.endpointId);
    if (list) list.push(one);
    else found.set(one.endpointId, [one]);
  }
  for (const list of found.values())
    list.sort((a, b) => a.attemptNumber - b.attemptNumber || a.timestamp.localeCompare(b.timestamp));
  return found;
}

export const succeeded = (attempt: Attempt): boolean => attempt.status === 0;

const outcomes = ["dns", "connect", "tls", "timeout", "protocol", "redirect", "policy", "body"] as const;

/** The result in a word: the HTTP status, or where it failed. */
export function resultOf(attempt: Attempt): string {
  if (attempt.responseStatusCode > 0) return String(attempt.responseStatusCode);
  const known = outcomes.find((outcome) => outcome === attempt.outcome);
  return known ? t(`outcome.${known}`) : (attempt.outcome ?? t("state.failed"));
}

/** The phases that took place, for the bar. */
export function phasesOf(attempt: Attempt): Phases {
  const took = attempt.timings;
  if (!took) return {};
  const phases: Phases = {};
  if (took.dnsMs > 0) phases.dns = took.dnsMs;
  // What follows the phase in which it broke did not take place, whatever the clock says.
  if (attempt.outcome === "dns") return phases;
  if (took.connectMs > 0) phases.tcp = took.connectMs;
  if (attempt.outcome === "connect") return phases;
  if (took.tlsMs > 0) phases.tls = took.tlsMs;
  if (attempt.outcome === "tls") return phases;
  const before = took.dnsMs + took.connectMs + took.tlsMs;
  // Without a first byte, what is left of the time was spent waiting for it.
  const wait =
    took.firstByteMs > 0 ? took.firstByteMs : attempt.outcome === "timeout" ? attempt.responseDurationMs - before : 0;
  if (wait > 0) phases.wait = wait;
  if (took.bodyMs > 0) phases.body = took.bodyMs;
  return phases;
}

/** The phase in which it broke, if it broke in one. */
export function brokenIn(attempt: Attempt): keyof Phases | undefined {
  const phases = phasesOf(attempt);
  switch (attempt.outcome) {
    case "dns":
      return "dns";
    case "connect":
      return "tcp";
    case "tls":
      return "tls";
    case "body":
      return "body";
    case "protocol":
      return "wait";
    case "timeout":
      return phases.body !== undefined ? "body" : "wait";
    default:
      return undefined;
  }
}

/** How long it took. The server counts whole milliseconds. */
export const tookOf = (attempt: Attempt): string =>
  attempt.responseDurationMs < 1 ? `<${duration(1)}` : duration(attempt.responseDurationMs);

/** What happened, as a sentence: the end first, then how far it came. */
export function sentenceOf(attempt: Attempt): string {
  const took = tookOf(attempt);
  if (succeeded(attempt)) return t("attempt.answered", { status: attempt.responseStatusCode, time: took });
  if (attempt.responseStatusCode > 0) return t("attempt.refused", { status: attempt.responseStatusCode, time: took });
  const way = wayOf(attempt);
  if (attempt.outcome === "timeout")
    return [t("attempt.silent", { time: took }), way && t("attempt.thenNothing", { way })].filter(Boolean).join(" ");
  const said =
    attempt.response && attempt.response !== "{}" && attempt.response !== "EXPUNGED"
      ? attempt.response
      : t("attempt.broke", { result: resultOf(attempt) });
  return [said, way && `${way}.`].filter(Boolean).join(" ");
}

/** How far the connection came: "Connected in 9 ms, TLS in 21 ms". Empty where nothing was measured. */
function wayOf(attempt: Attempt): string {
  const phases = phasesOf(attempt);
  const broken = brokenIn(attempt);
  const steps: string[] = [];
  if (phases.dns !== undefined && broken !== "dns") steps.push(t("attempt.looked", { time: duration(phases.dns) }));
  if (phases.tcp !== undefined && broken !== "tcp") steps.push(t("attempt.connected", { time: duration(phases.tcp) }));
  if (phases.tls !== undefined && broken !== "tls") steps.push(t("attempt.secured", { time: duration(phases.tls) }));
  const text = steps.join(", ");
  return text && text[0]!.toUpperCase() + text.slice(1);
}

/** How long after the first attempt it was delivered, in milliseconds; undefined if it was not, or at once. */
export function deliveredAfter(attempts: readonly Attempt[]): number | undefined {
  const first = attempts[0];
  const last = attempts.find(succeeded);
  if (!first || !last || first === last) return undefined;
  return Date.parse(last.timestamp) - Date.parse(first.timestamp);
}

/** A header's value by its name in any case of letters. */
export function headerOf(headers: Readonly<Record<string, string>>, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}

export interface Signature {
  id: string;
  timestamp: string;
  /** Each as "v1,…" or "v1a,…". */
  signatures: string[];
  scheme: "v1" | "v1a";
  /** Prefix of the header names: webhook or svix. */
  prefix: "webhook" | "svix";
}

/** The signature that an attempt carried, or undefined where it had none. */
export function signatureOf(headers: Readonly<Record<string, string>>): Signature | undefined {
  for (const prefix of ["webhook", "svix"] as const) {
    const id = headerOf(headers, `${prefix}-id`);
    const timestamp = headerOf(headers, `${prefix}-timestamp`);
    const text = headerOf(headers, `${prefix}-signature`);
    if (id === undefined || timestamp === undefined || text === undefined) continue;
    const signatures = text.split(" ").filter(Boolean);
    const scheme = signatures.some((one) => one.startsWith("v1a,")) ? "v1a" : "v1";
    return { id, timestamp, signatures, scheme, prefix };
  }
  return undefined;
}

/** The endpoints that a resend of all failures goes to. */
export function resendable(endpoints: readonly Explained[]): Explained[] {
  return endpoints.filter(
    (one) =>
      one.disabledSince === undefined &&
      (one.verdict === "failed" || (one.verdict === "pending" && one.attempts > 0) || one.verdict === "canceled"),
  );
}

/** What both a message of the dashboard's list and one of the portal's tell about its payload. */
export type MessageFacts = Pick<Row, "id" | "contentType"> & Partial<Pick<Row, "payloadHidden" | "payloadExpired">>;

/** Why there are no bytes to show, if there are none. */
export function bodyState(message: MessageFacts, loading: boolean): "hidden" | "expired" | "loading" | undefined {
  if (message.payloadHidden) return "hidden";
  if (message.payloadExpired) return "expired";
  return loading ? "loading" : undefined;
}

/** The application's id in paths: messages of a source are found under the source. */
export const ownerOf = (message: Row): string => message.sourceId ?? message.appId;
