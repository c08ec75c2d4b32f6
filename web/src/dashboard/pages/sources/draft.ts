// What the form of a source holds, and what of it is sent. Pure.
import type { Schema } from "@/lib/api";
import { linesText, namesOf, readLines } from "@/lib/lines";
import type { Source, SourceType } from "./queries";
import { typed, verificationOf } from "./verification";

export interface RouteDraft {
  app: string;
  /** Types with commas; empty for all. */
  only: string;
  /** Not shown in the form, and kept. */
  eventType?: Schema<"SourcePick">;
}

export type DedupeBy = "provider" | "header" | "body" | "hash" | "none";
export type TypeBy = "provider" | "header" | "body" | "fixed";

/** The fields as they are typed. */
export interface Draft {
  name: string;
  uid: string;
  /** Only of a new source. */
  secret: string;
  verification: Record<string, string>;
  cron: { schedule: string; timeZone: string; payload: string; contentType: string; eventType: string };
  routes: RouteDraft[];
  dedupeBy: DedupeBy;
  dedupeAt: string;
  typeBy: TypeBy;
  typeAt: string;
  rate: string;
  maxBody: string;
  methods: string[];
  requireJson: boolean;
  emptyBody: boolean;
  forwardHeaders: string[];
  allowNets: string;
  clientCa: string;
  responses: string;
  metadata: string;
}

export function draftOf(type: SourceType, source?: Source): Draft {
  const pick = source?.eventType;
  const typeBy: TypeBy = pick?.header ? "header" : pick?.body ? "body" : pick?.fixed ? "fixed" : "provider";
  return {
    name: source?.name ?? (type.name === "cron" ? "" : type.title),
    uid: source?.uid ?? "",
    secret: "",
    verification: typed(type.settings, (source?.verification ?? {}) as Record<string, unknown>),
    cron: {
      schedule: source?.cron?.schedule ?? "",
      timeZone: source?.cron?.timeZone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      payload: source?.cron?.payload ?? "{}",
      contentType: source?.cron?.contentType ?? "",
      eventType: source?.cron?.eventType ?? "",
    },
    routes: (source?.routes ?? []).map(({ app, only, eventType }) => ({
      app,
      only: (only ?? []).join(", "),
      eventType,
    })),
    dedupeBy: (source?.dedupe?.by as DedupeBy | undefined) || "provider",
    dedupeAt: source?.dedupe?.at ?? "",
    typeBy,
    typeAt: pick?.header ?? pick?.body ?? pick?.fixed ?? "",
    rate: source?.rate?.toString() ?? "",
    maxBody: source?.maxBody?.toString() ?? "",
    methods: [...(source?.methods ?? [])],
    requireJson: source?.requireJson ?? false,
    emptyBody: source?.emptyBody ?? false,
    forwardHeaders: [...(source?.forwardHeaders ?? [])],
    allowNets: (source?.allowNets ?? []).join(", "),
    clientCa: source?.clientCa ?? "",
    responses: source?.responses.length ? JSON.stringify(source.responses, null, 2) : "",
    metadata: linesText(source?.metadata ?? {}),
  };
}

/** Fields that cannot be read as they are typed. */
export interface Unreadable {
  generic?: true;
  responses?: true;
  metadata?: number;
}

export function unreadable(type: SourceType, draft: Draft): Unreadable {
  const metadata = readLines(draft.metadata);
  return {
    ...(verificationOf(type.settings, draft.verification) === null && { generic: true }),
    ...(responsesOf(draft) === null && { responses: true }),
    ...(typeof metadata === "number" && { metadata }),
  };
}

function responsesOf(draft: Draft): Schema<"SourceResponse">[] | null {
  if (draft.responses.trim() === "") return [];
  try {
    const found: unknown = JSON.parse(draft.responses);
    return Array.isArray(found) ? (found as Schema<"SourceResponse">[]) : null;
  } catch {
    return null;
  }
}

const orNull = (text: string) => text.trim() || null;
const numberOrNull = (text: string) => (text.trim() ? Number(text) : null);

/** The whole of it: what is empty is the server's default. */
export function bodyOf(type: SourceType, draft: Draft): Schema<"SourcePatch"> {
  const metadata = readLines(draft.metadata);
  const nets = namesOf(draft.allowNets);
  const { schedule, timeZone, payload, contentType, eventType } = draft.cron;
  return {
    name: draft.name.trim(),
    uid: orNull(draft.uid),
    metadata: typeof metadata === "number" ? {} : metadata,
    routes: draft.routes
      .filter(({ app }) => app.trim() !== "")
      .map(({ app, only, eventType: pick }) => ({
        app: app.trim(),
        ...(namesOf(only).length > 0 && { only: namesOf(only) }),
        ...(pick && { eventType: pick }),
      })),
    ...(type.name === "cron"
      ? {
          cron: {
            schedule: schedule.trim(),
            payload,
            ...(timeZone.trim() && { timeZone: timeZone.trim() }),
            ...(contentType.trim() && { contentType: contentType.trim() }),
            ...(eventType.trim() && { eventType: eventType.trim() }),
          },
        }
      : {
          verification: verificationOf(type.settings, draft.verification) ?? {},
          dedupe: draft.dedupeBy === "provider" ? null : { by: draft.dedupeBy, ...dedupeAt(draft) },
          eventType: draft.typeBy === "provider" ? null : { [draft.typeBy]: draft.typeAt.trim() },
          rate: numberOrNull(draft.rate),
          maxBody: numberOrNull(draft.maxBody),
          methods: draft.methods,
          requireJson: draft.requireJson,
          emptyBody: draft.emptyBody,
          forwardHeaders: draft.forwardHeaders,
          allowNets: nets.length > 0 ? nets : null,
          clientCa: orNull(draft.clientCa),
          responses: responsesOf(draft) ?? [],
        }),
    // Null is the provider's way, which the API's description of an object cannot say.
  } as Schema<"SourcePatch">;
}

const dedupeAt = ({ dedupeBy, dedupeAt }: Draft) =>
  dedupeBy === "header" || dedupeBy === "body" ? { at: dedupeAt.trim() } : {};

/** A new source: what was left as it is by itself is not sent. */
export function newBodyOf(type: SourceType, draft: Draft): Schema<"SourceIn"> {
  const given = Object.entries(bodyOf(type, draft)).filter(
    ([, value]) => value !== null && value !== false && !(typeof value === "object" && Object.keys(value).length === 0),
  );
  const secret = draft.secret.trim();
  return {
    type: type.name,
    ...Object.fromEntries(given),
    ...(secret && { secrets: [{ value: secret }] }),
  } as Schema<"SourceIn">;
}
