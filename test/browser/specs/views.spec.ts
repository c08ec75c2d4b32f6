// What one looks at stays what it was: over reloads, sessions, other people, and however much there is.
import { signIn } from "../rig/people.ts";
import { expect, test } from "../rig/test.ts";

test("reload, back and forward keep the view @both", async ({ page, member, seed }) => {
  expect(member.email).toBeTruthy();
  const app = await seed.app("Acme");
  await seed.publish(app.id, "invoice.paid");
  await seed.publish(app.id, "order.shipped");
  await page.goto("messages");
  const search = page.getByRole("combobox", { name: "Search messages" });
  await search.fill("type:invoice.*");
  await search.press("Enter");
  await expect(page.getByRole("row", { name: /order\.shipped/ })).toHaveCount(0);
  await page.getByRole("row", { name: /invoice\.paid/ }).click();
  await page.getByRole("tab", { name: "Payload" }).click();
  const there = page.url();
  expect(there).toContain("q=type:invoice.");
  await page.reload();
  expect(page.url()).toBe(there);
  await expect(page.getByRole("tab", { name: "Payload", selected: true })).toBeVisible();
  await expect(page.getByRole("row", { name: /order\.shipped/ })).toHaveCount(0);
  await page.getByRole("link", { name: "Endpoints" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Endpoints" })).toBeVisible();
  await page.goBack();
  expect(page.url()).toBe(there);
  await expect(page.getByRole("tab", { name: "Payload", selected: true })).toBeVisible();
  await page.goForward();
  await expect(page.getByRole("heading", { level: 1, name: "Endpoints" })).toBeVisible();
});

test("100,000 rows scroll, and only those in sight are drawn", async ({ page, member, seed }) => {
  test.setTimeout(120_000);
  expect(member.email).toBeTruthy();
  const app = await seed.app("Acme");
  await seed.publishMany(app.id, 100_000);
  await page.goto("messages");
  const grid = page.getByRole("grid", { name: "Messages" });
  await expect(grid.getByRole("row", { name: /load\.made/ }).first()).toBeVisible();
  // Page after page is asked for as the reader nears the end.
  let pages = 1;
  page.on("response", (answer) => {
    if (answer.url().includes("iterator=") && answer.ok()) pages++;
  });
  await grid.hover();
  for (let want = 2; want <= 12; want++) {
    await expect(async () => {
      await page.mouse.wheel(0, 20_000);
      expect(pages).toBeGreaterThanOrEqual(want);
    }).toPass();
  }
  expect(await grid.getByRole("row").count()).toBeLessThan(120);
  // A count stops at its bound.
  const search = page.getByRole("combobox", { name: "Search messages" });
  await search.fill("type:nothing.of.the.kind");
  await search.press("Enter");
  await expect(page.getByText("10,000+ without the search")).toBeVisible();
});

test.describe("long payloads", () => {
  test.use({ flags: ["--max-body", "16MiB"] });

  test("a payload of 10 MB opens, is searched and folds", async ({ page, member, seed, api }) => {
    test.setTimeout(90_000);
    expect(member.email).toBeTruthy();
    const app = await seed.app("Acme");
    const items = Array.from({ length: 50_000 }, (_, i) => ({ id: i, name: `item ${i}`, text: "x".repeat(160) }));
    const message = await api.post(`/api/v1/app/${app.id}/msg`, { eventType: "catalogue.exported", payload: { items, last: "the needle" } });
    await page.goto(`messages?open=${message.id}&tab=payload`);
    await expect(page.getByText("items").first()).toBeVisible();
    await page.getByPlaceholder("Search in it").fill("the needle");
    await page.keyboard.press("Enter");
    await expect(page.getByText("the needle").first()).toBeVisible();
    await page.getByRole("button", { name: "Raw" }).or(page.getByRole("tab", { name: "Raw" })).last().click();
    await expect(page.getByText('"items"').first()).toBeVisible();
    // The page still answers at once.
    await page.getByRole("tab", { name: "Deliveries" }).click();
    await expect(page.getByText("so there was nobody to send it to")).toBeVisible();
  });
});

test("a session that ends while one types loses nothing @both", async ({ page, member, guard, context, server, seed, receiver }) => {
  const to = await receiver();
  await seed.app("Acme");
  await page.goto("endpoints?open=new");
  await page.getByLabel("URL", { exact: true }).fill(to.url);
  await page.getByLabel("Description").fill("typed before the session ended");
  guard.allow(/status of 401/);
  await context.request.delete(`${server.url}/api/v1/session`, { headers: { origin: server.url } });
  await page.getByRole("button", { name: "Create endpoint" }).click();
  const again = page.getByRole("dialog", { name: "Sign in again" });
  await again.getByLabel("Password").fill(member.password);
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await expect(again).toBeHidden();
  await expect(page.getByLabel("Description")).toHaveValue("typed before the session ended");
  await page.getByRole("button", { name: "Create endpoint" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("hooks");
});

test("two browsers see what the other does, and nothing moves under the reader @both", async ({ page, member, visitor, server, seed, receiver }) => {
  const to = await receiver();
  const app = await seed.app("Acme");
  const endpoint = await seed.endpoint(app.id, to.url);
  await seed.publish(app.id, "invoice.paid");
  const other = await visitor();
  await signIn(other.context(), server.url, member);

  await page.goto("messages");
  await expect(page.getByText("live", { exact: true })).toBeVisible();
  await expect(page.getByRole("row", { name: /invoice\.paid/ })).toBeVisible();
  await seed.publish(app.id, "order.shipped");
  await page.getByRole("button", { name: /1 new/ }).click();
  await expect(page.getByRole("row", { name: /order\.shipped/ })).toBeVisible();

  await page.goto(`endpoints/${endpoint.id}`);
  await other.goto(`endpoints/${endpoint.id}`);
  await other.getByRole("button", { name: "Disable" }).click();
  await other.getByRole("dialog").getByRole("button", { name: "Disable" }).click();
  await expect(other.getByText("Disabled by hand since")).toBeVisible();
  await expect(page.getByText("Disabled by hand since")).toBeVisible({ timeout: 15_000 });
});
