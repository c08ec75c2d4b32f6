// How the states of requests are marked.
import { t } from "@/lib/i18n";
import type { Status } from "@/ui/Status";
import type { RequestRow } from "./queries";

/** A repeat that differs is a repeat all the same. */
export const markOf = (state: RequestRow["state"]): Status => (state === "duplicate_differs" ? "duplicate" : state);

export const stateText = (state: RequestRow["state"]): string => t(`request.state.${state}`);

/** Whether it can be sent on again: what was never believed must be verified first. */
export const replayable = (request: RequestRow | { state: RequestRow["state"]; bodyGone: boolean }): boolean =>
  !request.bodyGone && request.state !== "refused" && request.state !== "handshake";
