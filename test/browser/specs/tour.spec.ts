// Every page of the dashboard and of the portal: pictures of it, and axe in both themes.
import { accessible } from "../rig/axe.ts";
import { test } from "../rig/exhibit.ts";
import type { Museum } from "../rig/museum.ts";
import { portalLink } from "../rig/people.ts";
import { pictures } from "../rig/shots.ts";
import { expect } from "../rig/test.ts";

interface View {
  at: (m: Museum) => string;
  /** What is there once the page is complete. */
  shows: RegExp;
}

const list = (path: string, shows: RegExp): View => ({ at: () => path, shows });
const settings = (tab: string, shows: RegExp): View => list(`settings?tab=${tab}`, shows);

/** Pages by the names of their pictures. */
const dashboard: Record<string, View> = {
  overview: list("", /Needs you/),
  messages: list("messages", /invoice\.paid/),
  message: { at: (m) => `messages?open=${m.message.id}`, shows: /Did not get it/ },
  "message-payload": { at: (m) => `messages?open=${m.message.id}&tab=payload`, shows: /9007199254740993/ },
  "message-timeline": { at: (m) => `messages?open=${m.message.id}&tab=timeline`, shows: /Accepted/i },
  "message-code": { at: (m) => `messages?open=${m.message.id}&tab=code`, shows: /curl/ },
  attempt: { at: (m) => `messages/${m.message.id}/attempt/${m.attempt.id}`, shows: /TypeError/ },
  endpoints: list("endpoints", /CRM/),
  endpoint: { at: (m) => `endpoints/${m.endpoints.failing.id}`, shows: /Health/ },
  "endpoint-attempts": { at: (m) => `endpoints/${m.endpoints.failing.id}?tab=attempts`, shows: /invoice\.paid/ },
  "endpoint-test": { at: (m) => `endpoints/${m.endpoints.good.id}?tab=test`, shows: /Send/ },
  "endpoint-recover": { at: (m) => `endpoints/${m.endpoints.failing.id}?tab=recover`, shows: /Recover/ },
  "endpoint-settings": { at: (m) => `endpoints/${m.endpoints.good.id}?tab=settings`, shows: /Event types/ },
  "endpoint-security": { at: (m) => `endpoints/${m.endpoints.good.id}?tab=security`, shows: /Signing secret|secret/i },
  "endpoint-new": list("endpoints?open=new", /Do this from code/),
  applications: list("applications", /Acme Corporation/),
  application: { at: (m) => `applications/${m.acme.id}`, shows: /allEvents|event types|Endpoints/ },
  "application-portal": { at: (m) => `applications/${m.acme.id}?tab=portal`, shows: /Do this from code/ },
  "event-types": list("event-types", /invoice/),
  "event-type": list("event-types?open=invoice.paid", /Amount in cents/),
  requests: list("requests", /push/),
  "request-refused": { at: (m) => `requests?open=${m.refused.id}`, shows: /Verify again/ },
  "request-body": { at: (m) => `requests?open=${m.accepted.id}&tab=body`, shows: /Mend the flange/ },
  "request-headers": { at: (m) => `requests?open=${m.accepted.id}&tab=headers`, shows: /X-Github-Event/i },
  "request-routing": { at: (m) => `requests?open=${m.accepted.id}&tab=routing`, shows: /became the message/ },
  "request-code": { at: (m) => `requests?open=${m.accepted.id}&tab=code`, shows: /grapnel listen/ },
  "request-compare": { at: (m) => `requests?open=${m.accepted.id}&diff=${m.refused.id}`, shows: /Two requests compared/ },
  sources: list("sources", /Our repository/),
  "source-gallery": list("sources/new", /Shopify/),
  "source-new": list("sources/new?type=github", /Do this from code/),
  source: { at: (m) => `sources/${m.source.id}`, shows: /refused/ },
  "source-refused": { at: (m) => `sources/${m.source.id}?tab=refused`, shows: /signature/i },
  "source-endpoints": { at: (m) => `sources/${m.source.id}?tab=endpoints`, shows: /No endpoint yet/ },
  "source-settings": { at: (m) => `sources/${m.source.id}?tab=settings`, shows: /Do this from code/ },
  "source-security": { at: (m) => `sources/${m.source.id}?tab=security`, shows: /Take a new URL/ },
  issues: list("issues?q=state:open OR state:resolved", /CRM|127\.0\.0\.1/),
  "settings-account": settings("account", /Password/),
  "settings-passkeys": settings("passkeys", /You have no passkey/),
  "settings-sessions": settings("sessions", /this one/),
  "settings-keys": settings("keys", /everything/),
  "settings-members": settings("members", /olive@example\.com/),
  "settings-environments": settings("environments", /this one/),
  "settings-portal": settings("portal", /In your own page/),
  "settings-audit": settings("audit", /application\.create/),
  system: list("system", /Version/),
};

for (const [name, { at, shows }] of Object.entries(dashboard)) {
  test(`${name} looks right and is accessible`, async ({ page, museum }) => {
    await page.goto(at(museum));
    await expect(page.locator("h1")).toBeVisible();
    await expect(page.getByText(shows).filter({ visible: true }).first()).toBeVisible();
    await pictures(page, name, (theme) => accessible(page, `${name}, ${theme}`));
  });
}

test("sign-in looks right and is accessible", async ({ visitor }) => {
  const page = await visitor();
  await page.goto("");
  await expect(page.getByLabel("Password")).toBeVisible();
  await pictures(page, "sign-in", (theme) => accessible(page, `sign-in, ${theme}`));
});

test("the palette and the sheet of keys look right and are accessible", async ({ page, museum }) => {
  await page.goto(`messages?open=${museum.message.id}`);
  await expect(page.getByText("Did not get it")).toBeVisible();
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("dialog")).toBeVisible();
  await pictures(page, "palette", (theme) => accessible(page, `palette, ${theme}`));
  await page.keyboard.press("Escape");
  await page.keyboard.press("?");
  await expect(page.getByRole("dialog")).toBeVisible();
  await pictures(page, "keys", (theme) => accessible(page, `keys, ${theme}`));
});

const portal: Record<string, View> = {
  "portal-endpoints": list("endpoints", /Billing/),
  "portal-endpoint": { at: (m) => `endpoints/${m.endpoints.failing.id}`, shows: /Health/ },
  "portal-messages": list("messages", /invoice\.paid/),
  "portal-event-types": list("event-types", /invoice\.paid/),
};

for (const [name, { at, shows }] of Object.entries(portal)) {
  test(`${name} looks right and is accessible`, async ({ visitor, api, museum }) => {
    const page = await visitor();
    const link = await portalLink(api, museum.acme.id);
    await page.goto(link);
    await expect(page.getByText("Billing").first()).toBeVisible();
    const home = new URL(link);
    await page.goto(`${home.origin}${home.pathname.replace(/\/$/, "")}/${at(museum)}`);
    await expect(page.getByText(shows).filter({ visible: true }).first()).toBeVisible();
    await pictures(page, name, (theme) => accessible(page, `${name}, ${theme}`));
  });
}
