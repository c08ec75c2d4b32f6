// Every page of the dashboard: pictures of it, and axe in both themes.
import { accessible } from "../rig/axe.ts";
import { test } from "../rig/exhibit.ts";
import type { Museum } from "../rig/museum.ts";
import { pictures } from "../rig/shots.ts";
import { expect } from "../rig/test.ts";

/** Pages by the name of their pictures: where they are, and what is there once they are complete. */
const pages: Record<string, { at: (m: Museum) => string; heading: string | RegExp; shows?: RegExp }> = {
  overview: { at: () => "", heading: "Overview" },
  messages: { at: () => "messages", heading: "Messages", shows: /invoice\.paid/ },
  endpoints: { at: () => "endpoints", heading: "Endpoints", shows: /CRM/ },
  applications: { at: () => "applications", heading: "Applications", shows: /Acme Corporation/ },
  "event-types": { at: () => "event-types", heading: "Event types", shows: /invoice/ },
  requests: { at: () => "requests", heading: "Requests", shows: /push/ },
  sources: { at: () => "sources", heading: "Sources", shows: /Our repository/ },
  issues: { at: () => "issues", heading: "Issues" },
  settings: { at: () => "settings", heading: "Settings" },
  system: { at: () => "system", heading: "System" },
};

for (const [name, { at, heading, shows }] of Object.entries(pages)) {
  test(`${name} looks right and is accessible`, async ({ page, museum }) => {
    await page.goto(at(museum));
    await expect(page.getByRole("heading", { level: 1, name: heading })).toBeVisible();
    if (shows) await expect(page.getByRole("main").getByText(shows).first()).toBeVisible();
    await pictures(page, name, (theme) => accessible(page, `${name}, ${theme}`));
  });
}
