// From a server that nobody has seen before to a delivered webhook, by clicking alone.
import { owner } from "../rig/people.ts";
import { verifies } from "../rig/signature.ts";
import { expect, test } from "../rig/test.ts";

test("first run to the first delivered webhook @both", async ({ server, visitor, receiver }) => {
  const to = await receiver();
  const page = await visitor();
  await page.goto((await server.setupLink()).link);
  await page.getByLabel("Name").fill(owner.name);
  await page.getByLabel("Email").fill(owner.email);
  await page.getByLabel("Password").fill(owner.password);
  await page.getByRole("button", { name: "Make member and sign in" }).click();

  await page.getByRole("link", { name: "Create an application" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Acme");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Acme" })).toBeVisible();

  await page.getByRole("link", { name: "Event types" }).click();
  await page.getByRole("button", { name: "New event type" }).click();
  await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("invoice.paid");
  await page.getByRole("dialog").getByLabel("Description").fill("An invoice was paid.");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await expect(page.getByText("An invoice was paid.").first()).toBeVisible();

  await page.getByRole("link", { name: "Overview" }).first().click();
  await page.getByRole("link", { name: "Add an endpoint" }).click();
  await page.getByLabel("URL", { exact: true }).fill(to.url);
  await page.getByRole("button", { name: "Create endpoint" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText(to.url.replace("http://", ""));

  await page.getByRole("link", { name: "Overview" }).first().click();
  await page.getByRole("link", { name: "Send a message" }).click();
  await page.getByRole("combobox", { name: "Event type" }).fill("invoice.paid");
  await page.getByLabel("Payload").fill('{"amount": 1200}');
  await page.getByRole("dialog").getByRole("button", { name: "Send", exact: true }).click();
  await page.getByRole("button", { name: "Open the message" }).click();
  await expect(page.getByText("delivered").first()).toBeVisible();
  expect(to.received).toHaveLength(1);
  expect(to.received[0]?.body).toBe('{"amount": 1200}');

  // The receiver checks the signature with the secret that the page reveals.
  await page.getByRole("link", { name: "Endpoints", exact: true }).click();
  await page.getByRole("row", { name: /hooks/ }).click();
  await page.getByRole("tab", { name: "Security" }).click();
  await page.getByRole("button", { name: "Reveal" }).click();
  const secret = await page.getByText(/^whsec_[A-Za-z0-9+/=]+$/).innerText();
  const [delivery] = to.received;
  expect(delivery && verifies(secret, delivery)).toBe(true);

  await page.getByRole("link", { name: "Overview" }).first().click();
  await expect(page.getByRole("heading", { name: "Send webhooks" })).toBeHidden();
});
