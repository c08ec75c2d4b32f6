// What is new, as it happens. One tab of the browser follows the server's stream and tells the others; where no stream gets through,
// what is on the screen is asked for again and again.
import { environment, queryClient, type Schema, sessionExpired, token } from "../api";
import { baseURL } from "../base";
import { type LiveState, liveState } from "./state";
import { readStream } from "./stream";

export type LiveEvent = Schema<"LiveEvent">;
type Listener = (event: LiveEvent) => void;

/** How a tab tells the others; hello asks the leader how it goes. */
type Word = { event: LiveEvent } | { state: LiveState } | { hello: true };

const pollEvery = 10_000; // ms
const firstPause = 1_000;
const longestPause = 30_000;
/** So many failures in a row, and the page asks by itself until the stream is back. */
const failuresToPolling = 3;

const listeners = new Set<Listener>();
let end: (() => void) | undefined;

/** Calls back for each event as long as the page is looked at; the result ends it. */
export function follow(listener: Listener): () => void {
  listeners.add(listener);
  if (listeners.size === 1) start();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) stop();
  };
}

/** Where the stream is: of the environment, or of the portal's one application. */
let path: () => string = () => {
  const query = new URLSearchParams({ topics: "messages,attempts,requests,tasks" });
  if (environment.get()) query.set("environment", environment.get());
  return `api/v1/live?${query}`;
};

/** The portal follows its own application, by its token, which tabs do not share. */
let shared = true;
export function followApplication(app: string): void {
  shared = false;
  path = () => `api/v1/app/${encodeURIComponent(app)}/live`;
}

const tell = (event: LiveEvent) => {
  for (const listener of [...listeners]) listener(event);
};

function start() {
  document.addEventListener("visibilitychange", look);
  environment.subscribe(restart);
  look();
}

function stop() {
  document.removeEventListener("visibilitychange", look);
  end?.();
  end = undefined;
  liveState.set("offline");
}

function restart() {
  if (!end) return;
  end();
  end = undefined;
  look();
}

/** A page that nobody looks at follows nothing; when it is looked at again it reads anew. */
function look() {
  if (document.visibilityState === "hidden") {
    end?.();
    end = undefined;
    liveState.set("paused");
  } else if (!end && listeners.size > 0) {
    const back = liveState.get() === "paused";
    end = join();
    if (back) void queryClient.invalidateQueries({ refetchType: "active" });
  }
}

/** Takes part in following: leads, or listens to the tab that leads. */
function join(): () => void {
  const over = new AbortController();
  if (!shared || !("locks" in navigator) || typeof BroadcastChannel === "undefined") {
    void lead(over.signal, tell, (state) => liveState.set(state));
    return () => over.abort();
  }
  const name = `grapnel-live ${baseURL} ${environment.get()}`;
  const channel = new BroadcastChannel(name);
  let leads = false;
  channel.onmessage = ({ data }: MessageEvent<Word>) => {
    if ("hello" in data) {
      if (leads) channel.postMessage({ state: liveState.get() } satisfies Word);
    } else if (leads) return;
    else if ("event" in data) tell(data.event);
    else liveState.set(data.state);
  };
  channel.postMessage({ hello: true } satisfies Word);
  navigator.locks
    .request(name, { signal: over.signal }, () => {
      leads = true;
      return lead(
        over.signal,
        (event) => {
          tell(event);
          channel.postMessage({ event } satisfies Word);
        },
        (state) => {
          liveState.set(state);
          if (!over.signal.aborted) channel.postMessage({ state } satisfies Word);
        },
      );
    })
    .catch(() => {}); // it ended before its turn came
  return () => {
    over.abort();
    channel.close();
  };
}

/** Follows the stream until over, again and again. */
async function lead(over: AbortSignal, onEvent: Listener, onState: (state: LiveState) => void) {
  let last = "";
  let failures = 0;
  let polling: ReturnType<typeof setInterval> | undefined;
  const opened = () => {
    clearInterval(polling);
    polling = undefined;
    failures = 0;
    onState("live");
  };
  while (!over.aborted) {
    await readStream(new URL(path(), baseURL), { token: token.get(), last, over, opened }, (id, text) => {
      last = id || last;
      onEvent(JSON.parse(text) as LiveEvent);
    }).catch((error: unknown) => {
      if (error instanceof Error && error.message === "401") sessionExpired.set(true);
    });
    if (over.aborted) break;
    failures++;
    if (failures >= failuresToPolling) {
      polling ??= setInterval(() => onEvent({ more: true }), pollEvery);
      onState("polling");
    } else onState("reconnecting");
    await pause(Math.min(firstPause * 2 ** (failures - 1), longestPause) * (0.5 + Math.random() / 2), over);
  }
  clearInterval(polling);
}

const pause = (ms: number, over: AbortSignal) =>
  new Promise<void>((done) => {
    const timer = setTimeout(done, ms);
    over.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
