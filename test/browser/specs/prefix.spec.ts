// The server behind a reverse proxy that puts it under a path, in both kinds.
import { portalLink, setUp } from "../rig/people.ts";
import { type Proxy, prefix, startProxy } from "../rig/proxy.ts";
import { expect, test as base } from "../rig/test.ts";

for (const kind of ["strips", "keeps"] as const) {
  const test = base.extend<{ inFront: Proxy; proxied: string }>({
    inFront: async ({}, use) => {
      const proxy = await startProxy(kind);
      await use(proxy);
      await proxy.stop();
    },
    flags: async ({ inFront }, use) => use(["--public-url", `${inFront.origin}${prefix}`]),
    proxied: async ({ inFront, server, guard }, use) => {
      inFront.target = server.url;
      guard.admit(inFront.origin);
      await use(`${inFront.origin}${prefix}`);
    },
  });

  test(`dashboard, portal and live news work behind a proxy that ${kind} the prefix @both`, async ({ proxied, server, page, context, visitor, seed, api, receiver }) => {
    await setUp(server, context, proxied);
    const to = await receiver();
    const app = await seed.app("Acme");
    await seed.eventType("invoice.paid");
    const endpoint = await seed.endpoint(app.id, to.url);
    await page.goto(`${proxied}/`);
    await page.getByRole("link", { name: "Messages" }).click();
    await expect(page).toHaveURL(`${proxied}/messages`);
    await expect(page.getByText("live", { exact: true })).toBeVisible();
    const message = await seed.publish(app.id, "invoice.paid"); // the empty list fills itself
    await page.getByRole("row", { name: /invoice\.paid/ }).click();
    await expect(page.getByText("delivered").first()).toBeVisible();
    await page.getByRole("link", { name: /^Attempt \d/ }).last().click();
    await page.reload();
    await expect(page.getByRole("heading", { level: 1 })).toContainText("Attempt");
    await page.goto(`${proxied}/endpoints/${endpoint.id}?tab=security`);
    await expect(page.getByRole("button", { name: "Reveal" })).toBeVisible();
    expect(message.id).toBeTruthy();

    const link = await portalLink(api, app.id);
    expect(link).toMatch(new RegExp(`^${proxied}/portal/e/`));
    const customer = await visitor();
    await customer.goto(link);
    await customer.getByRole("row", { name: /\/hooks/ }).click();
    await customer.reload();
    await expect(customer.getByRole("heading", { level: 1 })).toContainText("hooks");
  });
}
