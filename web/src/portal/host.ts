// What the portal and the page around its frame say to each other. Whom the frame may be in, the server's policy about frames decides; so
// the parent is one of those pages. Nothing secret goes out, and what comes in is a code that the server has to know.

/** True where the portal is a page of its own, not a frame of another site. */
export const ownPage = window.top === window;

/** From the frame to the page around it. */
export type FromPortal = { grapnel: "ready" } | { grapnel: "height"; height: number } | { grapnel: "code-needed" };

/** From the page around to the frame. */
export type ToPortal = { grapnel: "code"; code: string };

export function tellHost(word: FromPortal): void {
  if (!ownPage) window.parent.postMessage(word, "*");
}

/** How long the page around has time to get a link. */
const patience = 20_000; // ms

/** Asks for a fresh code; empty if none comes in time. */
export function askHost(): Promise<string> {
  return new Promise((done) => {
    const end = (code: string) => {
      removeEventListener("message", hear);
      clearTimeout(timer);
      done(code);
    };
    const hear = (event: MessageEvent<unknown>) => {
      const code = event.source === window.parent ? codeIn(event.data) : "";
      if (code) end(code);
    };
    const timer = setTimeout(() => end(""), patience);
    addEventListener("message", hear);
    tellHost({ grapnel: "code-needed" });
  });
}

/** The code of a message, if it is one with a code. */
export function codeIn(data: unknown): string {
  if (typeof data !== "object" || data === null) return "";
  const { grapnel, code } = data as Partial<ToPortal>;
  return grapnel === "code" && typeof code === "string" ? code : "";
}

/** Tells the page around how tall the portal is, whenever that changes. */
export function followHeight(element: HTMLElement): () => void {
  if (ownPage) return () => {};
  const observer = new ResizeObserver(() => tellHost({ grapnel: "height", height: Math.ceil(element.scrollHeight) }));
  observer.observe(element);
  return () => observer.disconnect();
}
