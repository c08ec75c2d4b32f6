// Two projects: everything on SQLite, and what is marked @both on PostgreSQL again.
import { defineConfig } from "@playwright/test";
import type { Settings } from "./rig/test.ts";

const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";

// Nothing but the pages' own requests: what Chromium would fetch for itself is off.
const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

export default defineConfig<Settings>({
  testDir: "specs",
  outputDir: "results",
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  expect: { timeout: 10_000 },
  reporter: [["./rig/reporter.ts"]],
  use: {
    browserName: "chromium",
    launchOptions: { executablePath: chromium, args: quiet },
    viewport: { width: 1440, height: 900 },
    locale: "en-US",
    timezoneId: "UTC",
    actionTimeout: 10_000,
    navigationTimeout: 15_000,
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
  },
  projects: [
    { name: "sqlite", use: { database: "sqlite" } },
    { name: "postgresql", use: { database: "postgresql" }, grep: /@both/ },
  ],
});
