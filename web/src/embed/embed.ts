// <grapnel-portal src="https://hooks.example.com/portal/e/org_…#code=…">: the portal in a frame of another page.
//
// Attributes: src (the link from app-portal-access), refresh (address of the page's own server that answers with a fresh link, as text or
// as {"url": …}), lang, theme (light, dark), height (pixels, or auto: as tall as the portal; auto if absent), title.
// Events: ready; code-needed, with detail.use(link), for pages that get the link themselves; error, with detail.message.
import type { FromPortal, ToPortal } from "../portal/host";
import { addressOf, codeOf, linkIn } from "./link";

const leastHeight = 480; // pixels

class GrapnelPortal extends HTMLElement {
  static readonly observedAttributes = ["src", "lang", "theme", "height", "title"];
  readonly #frame = document.createElement("iframe");
  readonly #hear = (event: MessageEvent<FromPortal>) => {
    // Only the portal itself, at the address that it was given, is listened to.
    if (event.source === this.#frame.contentWindow && event.origin === this.#origin) this.#take(event.data);
  };

  connectedCallback() {
    if (!this.#frame.isConnected) {
      this.style.display ||= "block";
      Object.assign(this.#frame.style, { border: "0", width: "100%", minHeight: `${leastHeight}px`, display: "block" });
      this.append(this.#frame);
    }
    addEventListener("message", this.#hear);
    for (const name of GrapnelPortal.observedAttributes) this.attributeChangedCallback(name);
  }

  disconnectedCallback() {
    removeEventListener("message", this.#hear);
  }

  attributeChangedCallback(name: string) {
    if (!this.#frame.isConnected) return;
    if (name === "title") this.#frame.title = this.getAttribute("title") ?? "Webhooks";
    else if (name === "height") this.#frame.style.height = `${Number(this.getAttribute("height")) || leastHeight}px`;
    else {
      const address = addressOf(this.getAttribute("src") ?? "", this.getAttribute("lang"), this.getAttribute("theme"));
      if (address && this.#frame.src !== address) this.#frame.src = address;
    }
  }

  get #origin(): string {
    return this.#frame.src ? new URL(this.#frame.src).origin : "";
  }

  #take(word: FromPortal) {
    if (word.grapnel === "ready") this.dispatchEvent(new Event("ready"));
    else if (word.grapnel === "height" && !Number(this.getAttribute("height")))
      this.#frame.style.height = `${Math.max(leastHeight, word.height)}px`;
    else if (word.grapnel === "code-needed") void this.#refresh();
  }

  async #refresh() {
    const use = (link: string) => {
      const word: ToPortal = { grapnel: "code", code: codeOf(link) };
      this.#frame.contentWindow?.postMessage(word, this.#origin);
    };
    this.dispatchEvent(new CustomEvent("code-needed", { detail: { use } }));
    const from = this.getAttribute("refresh");
    if (!from) return;
    try {
      const answer = await fetch(from, { credentials: "same-origin", cache: "no-store" });
      if (!answer.ok) throw new Error(`${from} answered ${answer.status}`);
      use(linkIn(await answer.text()));
    } catch (error) {
      this.dispatchEvent(new CustomEvent("error", { detail: { message: String(error) } }));
    }
  }
}

if (!customElements.get("grapnel-portal")) customElements.define("grapnel-portal", GrapnelPortal);
