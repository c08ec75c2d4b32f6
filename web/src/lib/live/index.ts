import { useEffect, useRef } from "react";
import { follow, type LiveEvent } from "./follow";

export { followApplication, type LiveEvent } from "./follow";
export { type LiveState, liveState } from "./state";

/** Calls back for what is new, as long as the component is there. An event with `more` says: read again. */
export function useLive(onEvent: (event: LiveEvent) => void): void {
  const latest = useRef(onEvent);
  latest.current = onEvent;
  useEffect(() => follow((event) => latest.current(event)), []);
}
