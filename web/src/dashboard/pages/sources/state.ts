// What can be said of a source without asking more. Pure.
import type { Source, SourceType } from "./queries";

/** True where nothing can be verified yet: every request is refused until a secret is there. */
export const secretMissing = (source: Source, type: SourceType): boolean =>
  !type.secretOptional && source.secrets.length === 0;
