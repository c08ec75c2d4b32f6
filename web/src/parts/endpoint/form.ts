// What the form of an endpoint holds, and what of it is sent. Pure.
import type { ApiError, Schema } from "@/lib/api";
import { linesText, namesOf, readLines } from "@/lib/lines";
import type { Endpoint } from "./queries";

/** The fields as they are typed. */
export interface Draft {
  url: string;
  description: string;
  eventTypes: readonly string[] | null;
  channels: string;
  throttle: string;
  uid: string;
  metadata: string;
  /** Only of a new endpoint. */
  headers: string;
  secret: string;
}

export const draftOf = (endpoint?: Endpoint): Draft => ({
  url: endpoint?.url ?? "",
  description: endpoint?.description ?? "",
  eventTypes: endpoint?.eventTypes ?? null,
  channels: (endpoint?.channels ?? []).join(", "),
  throttle: endpoint?.throttleRate?.toString() ?? "",
  uid: endpoint?.uid ?? "",
  metadata: linesText(endpoint?.metadata ?? {}),
  headers: "",
  secret: "",
});

type Values = Schema<"EndpointPatch"> & { url: string };

/** The members of a change. Ids and metadata of the operator are left alone by forms that do not show them. */
export function patchOf(draft: Draft, full: boolean): Values {
  const channels = namesOf(draft.channels);
  const metadata = readLines(draft.metadata);
  return {
    url: draft.url.trim(),
    description: draft.description.trim(),
    eventTypes: draft.eventTypes && [...draft.eventTypes],
    channels: channels.length > 0 ? channels : null,
    throttleRate: draft.throttle ? Number(draft.throttle) : null,
    ...(full && { uid: draft.uid.trim() || null, metadata: typeof metadata === "number" ? {} : metadata }),
  };
}

/** The members of a new endpoint: what was left empty is not sent. */
export function bodyOf(draft: Draft, full: boolean): Schema<"EndpointIn"> {
  const headers = readLines(draft.headers);
  const { url, ...rest } = patchOf(draft, full);
  const more = {
    ...rest,
    headers: typeof headers === "number" ? {} : headers,
    secret: draft.secret.trim(),
  };
  const given = Object.entries(more).filter(
    ([, value]) => value !== null && value !== "" && !(typeof value === "object" && Object.keys(value).length === 0),
  );
  return { url, ...Object.fromEntries(given) } as Schema<"EndpointIn">;
}

/** Lines that cannot be read, by field: the number of the first one. */
export function badLines(draft: Draft): { metadata?: number; headers?: number } {
  const [metadata, headers] = [readLines(draft.metadata), readLines(draft.headers)];
  return {
    ...(typeof metadata === "number" && { metadata }),
    ...(typeof headers === "number" && { headers }),
  };
}

/** What is wrong with a member or with something in it: "X-Key: must not …". Items of a list are called by themselves. */
export function faultIn(error: ApiError | null, name: string, items: readonly string[] = []): string | undefined {
  const fault = error?.faults.find(({ loc }) => loc[1] === name);
  if (!fault) return undefined;
  const at = /^\[(\d+)\]$/.exec(fault.loc[2] ?? "");
  const inner = (at && items[Number(at[1])]) ?? fault.loc.slice(2).join(".").replaceAll(".[", "[");
  return inner ? `${inner}: ${fault.msg}` : fault.msg;
}

/** True where the error is about none of the fields in sight, so that it must be said by itself. */
export const elsewhere = (error: ApiError, fields: readonly string[]): boolean =>
  !error.faults.some(({ loc }) => fields.includes(loc[1] ?? ""));
