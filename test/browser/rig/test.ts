// The tests' `test`: each has a server of its own, with nothing in it, and a guard over all its pages.
import { test as base, type BrowserContext, expect, type Page } from "@playwright/test";
import { Api } from "./api.ts";
import { Guard } from "./guard.ts";
import { type Member, setUp } from "./people.ts";
import { Postgres } from "./postgres.ts";
import { type Answer, Receiver } from "./receiver.ts";
import { Seed } from "./seed.ts";
import { Server } from "./server.ts";

export interface Settings {
  database: "sqlite" | "postgresql";
  /** More flags of the test's server. */
  flags: string[];
}

interface Fixtures {
  guard: Guard;
  server: Server;
  api: Api;
  seed: Seed;
  /** Starts a receiver that ends with the test. */
  receiver: (answer?: Answer) => Promise<Receiver>;
  /** The owner of the server, signed in in the test's context. */
  member: Member;
  /** A page in a browser of its own, where nobody is signed in. */
  visitor: () => Promise<Page>;
}

interface WorkerFixtures {
  /** A PostgreSQL, if the project is about it. */
  postgres: Postgres | undefined;
}

export const test = base.extend<Settings & Fixtures, WorkerFixtures>({
  database: ["sqlite", { option: true }],
  flags: [[], { option: true }],

  postgres: [
    async ({}, use, worker) => {
      const wanted = worker.project.name === "postgresql";
      const postgres = wanted ? Postgres.start() : undefined;
      await use(postgres);
      await postgres?.stop();
    },
    { scope: "worker" },
  ],

  guard: async ({}, use) => {
    const guard = new Guard();
    await use(guard);
    expect(guard.problems, "what went wrong in the pages unseen").toEqual([]);
  },

  server: async ({ postgres, flags, guard }, use, info) => {
    const db = await postgres?.database();
    const server = await Server.start({ flags, ...(db === undefined ? {} : { db }) });
    guard.admit(server.url);
    await use(server);
    if (info.status !== info.expectedStatus) await info.attach("server.log", { body: server.log(), contentType: "text/plain" });
    await server.stop();
  },

  baseURL: async ({ server }, use) => use(`${server.url}/`),

  context: async ({ context, guard }, use) => {
    guard.watch(context);
    await use(context);
  },

  api: async ({ server }, use) => use(new Api(server)),

  seed: async ({ api }, use) => use(new Seed(api)),

  receiver: async ({}, use) => {
    const started: Receiver[] = [];
    await use(async (answer) => {
      const receiver = await Receiver.start(answer);
      started.push(receiver);
      return receiver;
    });
    await Promise.all(started.map((r) => r.stop()));
  },

  member: async ({ server, context }, use) => use(await setUp(server, context)),

  visitor: async ({ browser, guard, server }, use) => {
    const opened: BrowserContext[] = [];
    await use(async () => {
      const context = await browser.newContext({ baseURL: `${server.url}/`, storageState: { cookies: [], origins: [] } });
      opened.push(context);
      guard.watch(context);
      return context.newPage();
    });
    await Promise.all(opened.map((c) => c.close()));
  },
});

export { expect };
