// Errors of the API as one type, whatever failed.
import type { components } from "./schema.gen";

/** One wrong member of what was sent: where it is, and what is wrong. */
export interface Fault {
  loc: string[];
  msg: string;
}

/** What a call that failed throws. The message is a sentence for people. */
export class ApiError extends Error {
  override name = "ApiError";

  constructor(
    /** HTTP status; 0 when no answer came. */
    readonly status: number,
    /** Stable code to decide by: docs/errors.md lists them. */
    readonly code: string,
    message: string,
    /** What to do about it. */
    readonly hint = "",
    /** Names the request in the server's log. */
    readonly requestId = "",
    /** The wrong members, of status 422. */
    readonly faults: readonly Fault[] = [],
  ) {
    super(message);
  }

  /** What is wrong with a member of the body, for the field under which it belongs: fault("url"). */
  fault(...path: string[]): string | undefined {
    const wanted = path.join(".");
    return this.faults.find(
      (fault) => fault.loc.slice(1).join(".").replaceAll(".[", "[") === wanted.replaceAll(".[", "["),
    )?.msg;
  }
}

type Body = Partial<components["schemas"]["Error"]>;

/** Reads the error object of an answer. An answer that is none, as of a proxy, is told by its status. */
export function errorOf(status: number, body: unknown, requestId: string): ApiError {
  const said: Body = typeof body === "object" && body !== null ? body : {};
  const detail: unknown = said.detail;
  const faults = Array.isArray(detail) ? (detail as Fault[]) : [];
  const sentence =
    typeof detail === "string" ? detail : (faults[0]?.msg ?? said.title ?? `The server answered ${status}.`);
  return new ApiError(status, said.code ?? "unknown", sentence, said.hint, said.requestId ?? requestId, faults);
}
