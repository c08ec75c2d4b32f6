// What a test finds on the server: made by the API, as a product would.
import { createHmac } from "node:crypto";
import { expect } from "@playwright/test";
import type { Api, Json } from "./api.ts";

/** The secret of the sources that the seed makes, as GitHub would show it. */
export const sourceSecret = "the secret that GitHub signs with";

export interface SourceSeed {
  id: string;
  name: string;
  url: string;
}

export class Seed {
  constructor(readonly api: Api) {}

  app(name: string, more: Json = {}): Promise<Json> {
    return this.api.post("/api/v1/app", { name, ...more });
  }

  endpoint(app: string, url: string, more: Json = {}): Promise<Json> {
    return this.api.post(`/api/v1/app/${app}/endpoint`, { url, ...more });
  }

  eventType(name: string, more: Json = {}): Promise<Json> {
    return this.api.post("/api/v1/event-type", { name, description: `Says that ${name} happened.`, ...more });
  }

  publish(app: string, eventType: string, payload: Json = { id: 42 }, more: Json = {}): Promise<Json> {
    return this.api.post(`/api/v1/app/${app}/msg`, { eventType, payload, ...more });
  }

  /** Publishes as many messages as said, as fast as the API takes them. Gives the id of the first. */
  async publishMany(app: string, count: number, eventType = "load.made"): Promise<string> {
    let first = "";
    for (let done = 0; done < count; ) {
      const size = Math.min(1000, count - done);
      const messages = Array.from({ length: size }, (_, i) => ({ eventType, payload: { n: done + i } }));
      const made = await this.api.post(`/api/v1/app/${app}/msg/batch`, messages);
      if (made.refused > 0) throw new Error(`${made.refused} of a batch were refused`);
      first ||= made.data[0].message.id;
      done += size;
    }
    return first;
  }

  /** The state of each delivery of a message, by endpoint id. */
  async states(app: string, message: string): Promise<Record<string, string>> {
    const list = await this.api.get(`/api/v1/app/${app}/msg/${message}/endpoint?limit=100&expanded_statuses=true`);
    return Object.fromEntries(list.data.map((e: Json) => [e.id, e.statusText]));
  }

  /** Waits until the delivery of a message to an endpoint has the state. */
  async settled(app: string, message: string, endpoint: string, state: "success" | "fail"): Promise<void> {
    await expect.poll(async () => (await this.states(app, message))[endpoint], { timeout: 20_000 }).toBe(state);
  }

  async githubSource(name: string, secret: string | null = sourceSecret): Promise<SourceSeed> {
    const secrets = secret === null ? {} : { secrets: [{ value: secret }] };
    const made = await this.api.post("/ingest/api/v1/source", { name, type: "github", ...secrets });
    return { id: made.id, name, url: made.ingestUrl };
  }

  /** Sends a push as GitHub does, signed with the secret. Gives the status of the answer. */
  async push(source: SourceSeed, secret = sourceSecret, body: Json = { ref: "refs/heads/main", commits: [] }): Promise<number> {
    const text = JSON.stringify(body);
    const answer = await fetch(source.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": crypto.randomUUID(),
        "x-hub-signature-256": `sha256=${createHmac("sha256", secret).update(text).digest("hex")}`,
      },
      body: text,
    });
    await answer.arrayBuffer();
    return answer.status;
  }
}
