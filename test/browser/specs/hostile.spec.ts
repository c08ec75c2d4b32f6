// What customers, senders and receivers wrote is shown as text, whatever it is; and what is not allowed is refused.
import { accessible } from "../rig/axe.ts";
import { invite, portalLink, signIn } from "../rig/people.ts";
import { expect, test } from "../rig/test.ts";

const script = `<script>window.ran = 1</script><img src=x onerror="window.ran = 1">`;
const odd = `\u202Egnp.exe\u202C \u001B[31mred\u001B[0m javascript:alert(1) ${script}`;

test("hostile text is shown as text in the dashboard and in the portal", async ({ page, member, visitor, guard, seed, api, receiver }) => {
  expect(member.email).toBeTruthy();
  guard.allow(/api\/v1\/message\?q=%3Cscript/); // is no search
  const to = await receiver({ status: 500, body: odd, type: "text/html" });
  const app = await seed.app(`Acme ${script}`);
  await seed.eventType("invoice.paid", { description: odd, schemas: { "1": { title: script, properties: { [script]: { description: odd } } } } });
  const endpoint = await seed.endpoint(app.id, to.url, { description: odd, metadata: { note: odd } });
  const message = await seed.publish(app.id, "invoice.paid", { [script]: odd });
  await seed.settled(app.id, message.id, endpoint.id, "fail");
  const attempt = (await api.get(`/api/v1/app/${app.id}/attempt/msg/${message.id}`)).data[0];
  const views = [
    "",
    "messages",
    `messages?open=${message.id}&tab=payload`,
    `messages/${message.id}/attempt/${attempt.id}`,
    `endpoints/${endpoint.id}`,
    `applications/${app.id}`,
    "event-types?open=invoice.paid",
    "issues",
    `messages?q=${encodeURIComponent(script)}`,
  ];
  for (const view of views) {
    await page.goto(view);
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
    await expect(page.getByRole("status", { name: "Loading" })).toHaveCount(0);
  }
  await page.goto(`messages/${message.id}/attempt/${attempt.id}`);
  await expect(page.getByText(/onerror=/).first()).toBeVisible();
  expect(await page.evaluate(() => Reflect.get(window, "ran"))).toBeUndefined();

  const customer = await visitor();
  await customer.goto(await portalLink(api, app.id));
  await customer.getByText(/gnp\.exe/).first().click();
  await expect(customer.getByRole("heading", { level: 1 })).toBeVisible();
  expect(await customer.evaluate(() => Reflect.get(window, "ran"))).toBeUndefined();
});

test("what a link names is no place to run", async ({ api }) => {
  for (const supportUrl of ["javascript:alert(1)", "data:text/html,<script>1</script>", "http://example.com", "//example.com"])
    await expect(api.patch("/api/v1/settings", { portal: { texts: { support: "Help", supportUrl } } })).rejects.toThrow(/422/);
  for (const logoLight of ["javascript:alert(1)", "data:text/html;base64,PHNjcmlwdD4=", "http://example.com/logo.png"])
    await expect(api.patch("/api/v1/settings", { portal: { logoLight } })).rejects.toThrow(/422/);
});

test("a post of another site with the session's cookie is refused", async ({ member, context, server }) => {
  expect(member.email).toBeTruthy();
  for (const origin of ["https://evil.example.com", "null", server.url.replace("127.0.0.1", "localhost")]) {
    const answer = await context.request.post(`${server.url}/api/v1/app`, { data: { name: "x" }, headers: { origin } });
    expect(answer.status(), origin).toBe(403);
  }
  const own = await context.request.post(`${server.url}/api/v1/app`, { data: { name: "x" }, headers: { origin: server.url } });
  expect(own.status()).toBe(201);
  const cookie = (await context.cookies())[0];
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax" });
});

test("a viewer sees neither payloads nor secrets, and every reveal is in the audit log @both", async ({ page, member, visitor, server, context, seed, receiver }) => {
  expect(member.email).toBeTruthy();
  const to = await receiver({ status: 200, body: "the answer's own words" });
  const app = await seed.app("Acme");
  const endpoint = await seed.endpoint(app.id, to.url);
  const message = await seed.publish(app.id, "invoice.paid", { card: "the payload's own words" });
  await seed.settled(app.id, message.id, endpoint.id, "success");
  const viewer = await visitor();
  const invited = await invite(context, viewer.context(), server.url, "viewer", false);
  await viewer.goto(`messages?open=${message.id}&tab=payload`);
  await expect(viewer.getByText(/hidden|may not see/i).first()).toBeVisible();
  await expect(viewer.getByText("own words")).toHaveCount(0);
  await viewer.goto(`endpoints/${endpoint.id}?tab=security`);
  await expect(viewer.getByRole("button", { name: "Reveal" })).toBeDisabled();
  await viewer.goto("settings");
  await expect(viewer.getByRole("tab", { name: "Members" })).toHaveCount(0);

  await page.goto(`endpoints/${endpoint.id}?tab=security`);
  await page.getByRole("button", { name: "Reveal" }).click();
  await expect(page.getByText(/^whsec_[A-Za-z0-9+/=]+$/)).toBeVisible();
  await page.goto("settings?tab=audit");
  await expect(page.getByRole("row", { name: /endpoint\.get-secret/ })).toContainText(member.email);
  expect(invited.email).toBeTruthy();
});

test("a member who is removed is out at once", async ({ page, member, visitor, guard, server, context, api }) => {
  expect(member.email).toBeTruthy();
  const other = await visitor();
  await invite(context, other.context(), server.url, "developer", true);
  await other.goto("messages");
  await expect(other.getByText("live", { exact: true })).toBeVisible();
  guard.allow(/status of 401/);
  const members = await api.get("/api/v1/member");
  const id = members.data.find((one: { role: string }) => one.role === "developer").id;
  await page.goto("settings?tab=members");
  await page.getByRole("button", { name: /More to do with developer/ }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("textbox").fill("developer@example.com");
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByText("The member is removed.")).toBeVisible();
  await other.getByRole("link", { name: "Endpoints" }).click();
  await expect(other.getByRole("dialog", { name: "Sign in again" })).toBeVisible();
  expect(id).toBeTruthy();
});

test("a passkey is added and signs in", async ({ page, member, context, server, guard }) => {
  // Passkeys need a name, which 127.0.0.1 is not.
  const at = server.url.replace("127.0.0.1", "localhost");
  guard.admit(at);
  await signIn(context, at, member);
  await page.goto(`${at}/settings?tab=passkeys`);
  await expect(page.getByRole("button", { name: "Add a passkey" })).toBeVisible();
  await accessible(page, "passkeys"); // its session's end would end the authenticator too
  const session = await context.newCDPSession(page);
  await session.send("WebAuthn.enable");
  await session.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.getByLabel("Name").fill("Laptop");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.getByRole("cell", { name: "Laptop", exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.getByText("This device already has a passkey of yours.")).toBeVisible();
  await page.getByRole("button", { name: /Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("button", { name: "Use a passkey" }).click();
  await expect(page.getByRole("button", { name: /Account of/ })).toBeVisible();
});
