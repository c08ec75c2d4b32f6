// Tests that only look: they share the worker's museum, and the owner is signed in.
import type { BrowserContext } from "@playwright/test";
import { fill, type Museum } from "./museum.ts";
import { setUp } from "./people.ts";
import { Server } from "./server.ts";
import { test as base } from "./test.ts";

type State = Awaited<ReturnType<BrowserContext["storageState"]>>;

interface Open {
  server: Server;
  museum: Museum;
  state: State;
}

export const test = base.extend<{ museum: Museum }, { open: Open }>({
  open: [
    async ({ postgres, browser }, use) => {
      const db = await postgres?.database();
      const server = await Server.start(db === undefined ? {} : { db });
      const context = await browser.newContext();
      await setUp(server, context);
      const state = await context.storageState();
      await context.close();
      const { museum, stop } = await fill(server);
      await use({ server, museum, state });
      await server.stop();
      await stop();
    },
    { scope: "worker", timeout: 60_000 },
  ],
  museum: async ({ open }, use) => use(open.museum),
  server: async ({ open, guard }, use) => {
    guard.admit(open.server.url);
    await use(open.server);
  },
  storageState: async ({ open }, use) => use(open.state),
});
