// A server with something of everything, for looking at: made once for a worker, and changed by nobody.
import { expect } from "@playwright/test";
import type { Json } from "./api.ts";
import { Api } from "./api.ts";
import { Receiver } from "./receiver.ts";
import { Seed, type SourceSeed } from "./seed.ts";
import type { Server } from "./server.ts";

export interface Museum {
  acme: Json;
  /** Endpoints of acme by what is the matter with them. */
  endpoints: { good: Json; failing: Json; gone: Json; picky: Json };
  /** One that was delivered, failed and skipped, each at an endpoint. */
  message: Json;
  /** The failed attempt at it. */
  attempt: Json;
  source: SourceSeed;
  /** What reached the source: one request that was believed, one that was not. */
  accepted: Json;
  refused: Json;
}

const schema = {
  type: "object",
  title: "An invoice was paid",
  required: ["invoice", "amount"],
  properties: {
    invoice: { type: "string", description: "Id of the invoice." },
    amount: { type: "integer", minimum: 0, description: "Amount in cents." },
    currency: { type: "string", enum: ["EUR", "USD", "CHF"] },
    lines: { type: "array", items: { type: "object", properties: { text: { type: "string" }, amount: { type: "integer" } } } },
  },
  examples: [{ invoice: "in_1042", amount: 1200, currency: "EUR", lines: [{ text: "Seats", amount: 1200 }] }],
};

// As text: JavaScript would round the number of the customer.
const paid = `{"eventType":"invoice.paid","eventId":"in_1042-paid","payload":{
  "invoice": "in_1042", "amount": 1200, "currency": "EUR",
  "customer": {"id": 9007199254740993, "name": "Zoë Müller", "vat": null, "trial": false},
  "lines": [{"text": "Seats, October", "amount": 900}, {"text": "Storage", "amount": 300}],
  "note": "A text that is long enough to need more room than one line of a narrow pane has, so that it must wrap or be cut."
}}`;

/** Fills a server. Close the receivers with `stop`. */
export async function fill(server: Server): Promise<{ museum: Museum; stop(): Promise<void> }> {
  const seed = new Seed(new Api(server));
  const answers = await Promise.all([
    Receiver.start({ status: 200, body: `{"received":true}`, type: "application/json" }),
    Receiver.start({ status: 500, body: `{"error":"TypeError: cannot read 'id'"}`, type: "application/json" }),
    Receiver.start({ status: 410, body: "gone" }),
  ]);
  const [good, broken, gone] = answers.map((r) => r.url) as [string, string, string];
  await eventTypes(seed);
  const acme = await seed.app("Acme Corporation", { uid: "acme", metadata: { plan: "enterprise" } });
  const zeta = await seed.app("Zeta Gesellschaft für Datenverarbeitung und Rechnungswesen mbH & Co. KG", { uid: "zeta" });
  await seed.app("Nobody yet");
  const endpoints = {
    good: await seed.endpoint(acme.id, good, { description: "Billing", headers: { "X-Team": "billing" } }),
    failing: await seed.endpoint(acme.id, broken, { description: "CRM" }),
    gone: await seed.endpoint(acme.id, gone, { description: "The old shop" }),
    picky: await seed.endpoint(acme.id, good, { description: "Audit", filterTypes: ["order.shipped"], throttleRate: 50 }),
  };
  await seed.endpoint(zeta.id, `${good}/a/path/that/goes/on${"/and/on".repeat(20)}?token=abc`, { channels: ["eu"] });
  const message = await seed.api.post(`/api/v1/app/${acme.id}/msg`, paid);
  // Before others fail there as well: then the circuit of the endpoint opens, and its retries wait.
  await seed.settled(acme.id, message.id, endpoints.good.id, "success");
  await seed.settled(acme.id, message.id, endpoints.failing.id, "fail");
  for (let i = 0; i < 24; i++) await seed.publish(i % 3 ? acme.id : zeta.id, i % 2 ? "user.created" : "order.shipped", { n: i });
  const source = await sources(seed);
  const attempts = await seed.api.get(`/api/v1/app/${acme.id}/attempt/msg/${message.id}?status=2`);
  const log = () => seed.api.get(`/ingest/api/v1/source/${source.id}/log`);
  await expect.poll(async () => (await log()).data.length).toBe(2); // refused ones are written in batches, after the answer
  const requests = await log();
  const request = (state: string) => requests.data.find((one: Json) => one.state === state);
  const museum: Museum = {
    acme,
    endpoints,
    message,
    attempt: attempts.data.find((one: Json) => one.endpointId === endpoints.failing.id),
    source,
    accepted: request("accepted"),
    refused: request("refused"),
  };
  return {
    museum,
    stop: async () => void (await Promise.all(answers.map((r) => r.stop()))),
  };
}

async function eventTypes(seed: Seed): Promise<void> {
  await seed.eventType("invoice.paid", { schemas: { "1": schema }, groupName: "invoice" });
  await seed.eventType("invoice.refunded", { deprecated: true, groupName: "invoice" });
  await seed.eventType("order.shipped");
  await seed.eventType("user.created");
  await seed.eventType("user.subscription.renewal.reminder.sent");
}

async function sources(seed: Seed): Promise<SourceSeed> {
  const source = await seed.githubSource("Our repository");
  await seed.api.post("/ingest/api/v1/source", { name: "Payments", type: "stripe", secrets: [{ value: "whsec_abcdefghijklmnop" }] });
  const commits = [{ id: "9f1c", message: "Mend the flange", author: { name: "Zoë" } }];
  await seed.push(source, undefined, { ref: "refs/heads/main", commits });
  await seed.push(source, "a secret that GitHub does not sign with", { ref: "refs/heads/main", commits });
  return source;
}
