// Whatever goes wrong in a page where nobody looks: an error in the console, an uncaught one, a breach of the policy,
// a request to somebody else. A test in which one of them happened has failed.
import type { BrowserContext, ConsoleMessage } from "@playwright/test";

export class Guard {
  private readonly found: string[] = [];
  private readonly allowed: RegExp[] = [];
  private readonly origins = new Set<string>();

  /** Requests may go to this origin. */
  admit(origin: string): void {
    this.origins.add(new URL(origin).origin);
  }

  /** What the test causes on purpose, such as the console's line about an answer of 401. */
  allow(pattern: RegExp): void {
    this.allowed.push(pattern);
  }

  watch(context: BrowserContext): void {
    context.on("console", (message) => this.hear(message));
    context.on("weberror", (error) => this.note(`uncaught: ${error.error().stack ?? error.error().message}`));
    context.on("request", (request) => {
      const url = new URL(request.url());
      const own = this.origins.has(url.origin) || ["data:", "blob:", "about:"].includes(url.protocol);
      if (!own) this.note(`a request to another host: ${request.method()} ${request.url()}`);
    });
  }

  /** What happened and was not allowed. */
  get problems(): string[] {
    return this.found.filter((f) => !this.allowed.some((a) => a.test(f)));
  }

  private hear(message: ConsoleMessage): void {
    if (message.type() !== "error" && message.type() !== "warning") return;
    this.note(`console: ${message.text()} (${message.location().url})`);
  }

  private note(what: string): void {
    this.found.push(what);
  }
}
