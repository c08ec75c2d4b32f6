// What can be said of a source without asking more. Pure.
import type { Status } from "@/ui/Status";
import type { Source, SourceRow, SourceType } from "./queries";

type RequestState = NonNullable<SourceRow["lastRequest"]>["state"];

/** How the state of a request is marked: a repeat that differs is a repeat all the same. */
export const markOf = (state: RequestState): Status => (state === "duplicate_differs" ? "duplicate" : state);

/** True where nothing can be verified yet: every request is refused until a secret is there. */
export const secretMissing = (source: Source, type: SourceType): boolean =>
  !type.secretOptional && source.secrets.length === 0;
