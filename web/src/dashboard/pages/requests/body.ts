// What can be shown of a request's bytes. Pure.
import type { Header } from "@/ui/payload";
import type { Request } from "./queries";

/** Why there is no body to show, if so. */
export function bodyState(
  request: Pick<Request, "bodyGone"> | undefined,
  hidden: boolean,
  loaded: boolean,
): "hidden" | "expired" | "loading" | undefined {
  if (hidden) return "hidden";
  if (request?.bodyGone) return "expired";
  return loaded ? undefined : "loading";
}

/** Headers as a table has them; values that the server keeps to itself are marked. */
export const headersOf = (request: Request): Header[] =>
  (request.headers as [string, string][]).map(([name, value]) => ({
    name,
    value: value === "[redacted]" ? "" : value,
    masked: value === "[redacted]",
  }));
