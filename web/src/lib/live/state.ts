import { createStore } from "../store";

/** How this page learns of what happens: by the stream, by asking again and again, or not at the moment. */
export type LiveState = "live" | "reconnecting" | "polling" | "paused" | "offline";

export const liveState = createStore<LiveState>("offline");
