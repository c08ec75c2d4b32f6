// <grapnel-portal src="https://hooks.example.com/portal/e/org_…#code=…">: the portal in a frame of another page.

/** Draws the portal in an inline frame that fills the element. */
class GrapnelPortal extends HTMLElement {
  static readonly observedAttributes = ["src"];
  readonly #frame = document.createElement("iframe");

  connectedCallback() {
    if (this.#frame.isConnected) return;
    this.style.display ||= "block";
    this.#frame.title = this.getAttribute("title") ?? "Webhooks";
    Object.assign(this.#frame.style, {
      border: "0",
      width: "100%",
      height: "100%",
      minHeight: "40rem",
      display: "block",
    });
    this.append(this.#frame);
    this.attributeChangedCallback();
  }

  attributeChangedCallback() {
    const src = this.getAttribute("src");
    if (src && this.#frame.isConnected) this.#frame.src = src;
  }
}

if (!customElements.get("grapnel-portal")) customElements.define("grapnel-portal", GrapnelPortal);
