// Server-sent events by fetch: EventSource can neither carry a token nor tell why it was refused.
// The format is that of https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation.

interface StreamOptions {
  /** Bearer token; empty: the cookie. */
  token: string;
  /** Id of the last event that is known; empty: from now on. */
  last: string;
  over: AbortSignal;
  /** Called once the server has begun to answer. */
  opened(): void;
}

/** Reads events until the stream ends. A refusal is an Error with the status as its message. */
export async function readStream(url: URL, options: StreamOptions, onEvent: (id: string, data: string) => void) {
  const headers: Record<string, string> = { Accept: "text/event-stream" };
  if (options.token) headers.Authorization = `Bearer ${options.token}`;
  if (options.last) headers["Last-Event-ID"] = options.last;
  const answer = await fetch(url, { headers, signal: options.over, credentials: "same-origin", cache: "no-store" });
  if (!answer.ok || !answer.body) throw new Error(String(answer.status));
  options.opened();
  const parse = parser(onEvent);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parse(value);
  }
}

/** Takes pieces of a stream, cut anywhere, and calls back for each event with data. */
export function parser(onEvent: (id: string, data: string) => void): (piece: string) => void {
  let rest = "";
  let id = "";
  let data: string[] = [];
  return (piece) => {
    const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length > 0) onEvent(id, data.join("\n"));
        data = [];
        continue;
      }
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") data.push(value);
      else if (field === "id" && !value.includes("\0")) id = value;
    }
  };
}
