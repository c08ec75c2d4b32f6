// The customer's portal: by its link, and inside the page of somebody else's product.
import { startHost, withoutThirdPartyCookies } from "../rig/frame.ts";
import { portalLink } from "../rig/people.ts";
import { expect, test } from "../rig/test.ts";

test("a link opens the portal once, and the customer mends an endpoint in it @both", async ({ visitor, guard, seed, api, receiver }) => {
  const to = await receiver();
  const app = await seed.app("Acme");
  const other = await seed.app("Somebody else");
  await seed.eventType("invoice.paid");
  await seed.endpoint(other.id, `${to.url}/other`);
  const link = await portalLink(api, app.id);
  const page = await visitor();
  await page.goto(link);
  await page.getByRole("button", { name: "New endpoint" }).first().click();
  await page.getByLabel("URL", { exact: true }).fill(to.url);
  await page.getByRole("button", { name: "Create endpoint" }).click();
  await page.getByRole("tab", { name: "Test" }).click();
  await page.getByRole("button", { name: "Send test event" }).click();
  await expect(page.getByText("200").first()).toBeVisible();
  expect(to.received).toHaveLength(1);
  await expect(page.getByText("/other")).toHaveCount(0);
  expect(page.url()).not.toContain("code=");
  await page.reload();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("hooks");

  guard.allow(/status of 401/);
  const second = await visitor();
  await second.goto(link);
  await expect(second.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(second.getByRole("button", { name: "New endpoint" })).toHaveCount(0);
});

test("a link that may only read shows no way to change anything", async ({ visitor, seed, api, receiver }) => {
  const to = await receiver();
  const app = await seed.app("Acme");
  const endpoint = await seed.endpoint(app.id, to.url);
  const page = await visitor();
  await page.goto(await portalLink(api, app.id, { capabilities: ["ViewBase"] }));
  await page.getByRole("row", { name: /\/hooks/ }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("hooks");
  for (const name of ["Disable", "Delete", "Reveal"])
    for (const button of await page.getByRole("button", { name }).all()) await expect(button).toBeDisabled();
  expect((await api.get(`/api/v1/app/${app.id}/endpoint/${endpoint.id}`)).disabled).toBe(false);
});

test("the portal works in a frame of another site without its cookies, and asks for a fresh link @both", async ({ server, seed, api, receiver }) => {
  const to = await receiver();
  const app = await seed.app("Acme");
  await seed.endpoint(app.id, to.url);
  const host = await startHost(server.url, () => portalLink(api, app.id), 'lang="de" theme="dark"');
  await api.patch("/api/v1/settings", { portalOrigins: [host.origin] });
  const { context, close } = await withoutThirdPartyCookies();
  const page = await context.newPage();
  await page.goto(host.origin);
  const frame = page.frameLocator("grapnel-portal iframe");
  await expect(frame.getByRole("heading", { level: 1, name: "Endpunkte" })).toBeVisible();
  await expect(frame.locator("html")).toHaveAttribute("data-theme", "dark");
  await frame.getByRole("row", { name: /\/hooks/ }).click();
  await expect(frame.getByRole("tab", { name: "Überblick" })).toBeVisible();
  expect(host.asked()).toBe(1);

  // The token ends with its link; the page around brings another, and the reader stays where they are.
  await api.post(`/api/v1/auth/app/${app.id}/expire-all`);
  await frame.getByRole("tab", { name: "Versuche" }).click();
  await expect.poll(() => host.asked()).toBe(2);
  await expect(frame.getByRole("tab", { name: "Versuche", selected: true })).toBeVisible();
  await close();
  await host.stop();
});

test("a page that the settings do not name cannot frame the portal", async ({ server, seed, api }) => {
  const app = await seed.app("Acme");
  const host = await startHost(server.url, () => portalLink(api, app.id));
  await api.patch("/api/v1/settings", { portalOrigins: ["https://app.example.com"] });
  const { context, close } = await withoutThirdPartyCookies();
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  await page.goto(host.origin);
  await expect.poll(() => said.join("\n")).toMatch(/frame-ancestors/);
  await expect(page.frameLocator("grapnel-portal iframe").getByRole("heading", { level: 1 })).toHaveCount(0);
  await close();
  await host.stop();
});

test("an open portal notices that its application was deleted", async ({ visitor, guard, seed, api, receiver }) => {
  const app = await seed.app("Acme");
  await seed.endpoint(app.id, (await receiver()).url);
  const page = await visitor();
  await page.goto(await portalLink(api, app.id));
  await expect(page.getByRole("row", { name: /\/hooks/ })).toBeVisible();
  guard.allow(/status of 40[134]/);
  await api.delete(`/api/v1/app/${app.id}`);
  await page.getByRole("row", { name: /\/hooks/ }).click();
  await expect(page.getByRole("alert").first()).toBeVisible();
});
