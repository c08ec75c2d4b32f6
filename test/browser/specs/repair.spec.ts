// Something did not arrive: why, and how it is mended.
import { verifies } from "../rig/signature.ts";
import { expect, test } from "../rig/test.ts";

test("why a message did not arrive is found from the overview @both", async ({ page, member, seed, receiver }) => {
  expect(member.email).toBeTruthy();
  const broken = await receiver({ status: 500, body: "TypeError: id of null" });
  const fine = await receiver();
  const app = await seed.app("Acme");
  for (const type of ["order.shipped", "invoice.paid"]) await seed.eventType(type);
  const failing = await seed.endpoint(app.id, broken.url, { description: "CRM" });
  await seed.endpoint(app.id, fine.url, { description: "Audit", filterTypes: ["order.shipped"] });
  const message = await seed.publish(app.id, "invoice.paid");
  await seed.settled(app.id, message.id, failing.id, "fail");

  await page.goto("");
  await page.getByRole("link", { name: "Issues" }).click();
  await page.getByRole("row", { name: /500/ }).click();
  await page.getByRole("link", { name: "Show the messages" }).click();
  await page.getByRole("row", { name: /invoice\.paid/ }).click();
  await expect(page.getByText("Every attempt of the schedule failed")).toBeVisible();
  await expect(page.getByText("The endpoint takes order.shipped only")).toBeVisible();
  await page.getByRole("link", { name: /^Attempt \d/ }).last().click();
  await expect(page.getByText("TypeError: id of null").first()).toBeVisible();
  await page.goBack();
  await expect(page.getByText("The endpoint takes order.shipped only")).toBeVisible();
});

test("what a disabled endpoint missed is recovered, and a reload loses nothing of it @both", async ({ page, member, seed, api, receiver }) => {
  expect(member.email).toBeTruthy();
  const to = await receiver({ status: 410 });
  const app = await seed.app("Acme");
  await seed.eventType("invoice.paid");
  const endpoint = await seed.endpoint(app.id, to.url);
  const first = await seed.publish(app.id, "invoice.paid");
  await expect.poll(async () => (await seed.states(app.id, first.id))[endpoint.id]).toMatch(/fail|cancel/);
  for (let i = 0; i < 40; i++) await seed.publish(app.id, "invoice.paid", { n: i });
  to.answer = { status: 200 };

  await page.goto(`endpoints/${endpoint.id}`);
  await expect(page.getByText("It answered 410 Gone")).toBeVisible();
  await page.getByRole("button", { name: "Enable", exact: true }).click();
  await page.getByRole("tab", { name: "Recover" }).click();
  await expect(page.getByText("41 messages")).toBeVisible();
  await page.getByLabel("Most messages a second").fill("2");
  await expect(page.getByText(/about 2\d s at this rate/)).toBeVisible();
  await page.getByRole("tabpanel").getByRole("button", { name: "Recover" }).click();
  await expect(page.getByRole("progressbar")).toBeVisible();
  await page.reload();
  await expect(page.getByRole("progressbar")).toBeVisible();
  await page.getByRole("button", { name: "Cancel the rest" }).click();
  await expect(page.getByText("canceled").first()).toBeVisible();
  const sent = to.received.length;
  expect(sent).toBeLessThan(30);

  await page.getByLabel("Most messages a second").fill("");
  await page.getByRole("tabpanel").getByRole("button", { name: "Recover" }).click();
  await expect.poll(() => new Set(to.received.map((r) => r.headers["webhook-id"])).size, { timeout: 20_000 }).toBeGreaterThanOrEqual(41);
  await expect.poll(async () => (await api.get(`/api/v1/app/${app.id}/endpoint/${endpoint.id}/task?limit=1`)).data[0].status).toBe("finished");
});

test("a secret is rotated: for a while both sign @both", async ({ page, member, seed, receiver }) => {
  expect(member.email).toBeTruthy();
  const to = await receiver();
  const app = await seed.app("Acme");
  await seed.eventType("invoice.paid");
  const endpoint = await seed.endpoint(app.id, to.url);
  await page.goto(`endpoints/${endpoint.id}?tab=security`);
  const shown = page.getByText(/^whsec_[A-Za-z0-9+/=]+$/);
  await page.getByRole("button", { name: "Reveal" }).click();
  const before = await shown.innerText();
  await page.getByRole("button", { name: "Rotate secret" }).click();
  await page.getByRole("button", { name: "Rotate", exact: true }).click();
  await expect(shown).not.toHaveText(before);
  const after = await shown.innerText();
  await seed.publish(app.id, "invoice.paid");
  await expect.poll(() => to.received.length).toBe(1);
  const [delivery] = to.received;
  if (!delivery) throw new Error("nothing was received");
  expect([verifies(before, delivery), verifies(after, delivery)]).toEqual([true, true]);
});

test("a bad signature is diagnosed, the secret mended, and the request taken after all @both", async ({ page, member, seed, receiver }) => {
  expect(member.email).toBeTruthy();
  const to = await receiver();
  const source = await seed.githubSource("Repository", "not what GitHub signs with");
  await seed.endpoint(source.id, to.url);
  expect(await seed.push(source)).toBe(401);

  await page.goto("requests");
  await page.getByRole("row", { name: /refused/ }).click();
  await expect(page.getByRole("list", { name: "What the diagnosis found" })).toContainText("wrong_secret");
  await page.getByRole("button", { name: "Verify again" }).click();
  await expect(page.getByText("refused").first()).toBeVisible();
  expect(to.received).toHaveLength(0);

  await page.getByRole("link", { name: "Secrets of the source" }).click();
  await page.getByRole("button", { name: "Replace the secret" }).click();
  await page.getByLabel("Secret of the sender").fill("the secret that GitHub signs with");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("dialog", { name: "Replace the secret" })).toBeHidden();
  await page.getByRole("button", { name: "Inspect requests" }).click();
  await page.getByRole("row", { name: /refused/ }).click();
  await page.getByRole("button", { name: "Verify again" }).click();
  await expect(page.getByText("It verifies now and became a message.")).toBeVisible();
  await expect.poll(() => to.received.length).toBe(1);
  await page.getByRole("tab", { name: "Routing" }).click();
  await expect(page.getByText("delivered")).toBeVisible();
});
