// A page of a customer's own product, on another site than the server, that embeds the portal; and a browser that gives a
// frame of another site no cookies.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "@playwright/test";
import { type Listening, listen } from "./proxy.ts";

export interface Host extends Listening {
  /** How often the page has asked its own server for a link to the portal. */
  asked(): number;
}

/**
 * The host page. It loads the embed script from the server, and asks its own server for a link at the start and
 * whenever the portal says that it needs one.
 */
export async function startHost(server: string, link: () => Promise<string>, attributes = ""): Promise<Host> {
  let asked = 0;
  const page = createServer(async (req, res) => {
    if (req.url === "/portal-link") {
      asked++;
      res.writeHead(200, { "content-type": "text/plain" }).end(await link());
    } else if (req.url === "/host.js") {
      res.writeHead(200, { "content-type": "text/javascript" }).end(script);
    } else if (req.url === "/favicon.ico") {
      res.writeHead(204).end();
    } else {
      res.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html(server, attributes));
    }
  });
  return Object.assign(await listen(page, "localhost"), { asked: () => asked });
}

const html = (server: string, attributes: string) => `<!doctype html>
<html lang="en"><head><title>Shop</title><script async src="${server}/portal/embed.js"></script>
<script type="module" src="/host.js"></script></head>
<body><h1>A shop</h1><grapnel-portal ${attributes}></grapnel-portal></body></html>`;

const script = `
const portal = document.querySelector("grapnel-portal");
const fresh = async () => (await fetch("/portal-link")).text();
portal.addEventListener("code-needed", async (event) => event.detail.use(await fresh()));
portal.setAttribute("src", await fresh());
`;

/** A Chromium of its own in which cookies of other sites are blocked. Close it with what is given. */
export async function withoutThirdPartyCookies(): Promise<{ context: BrowserContext; close(): Promise<void> }> {
  const profile = await mkdtemp(join(tmpdir(), "grapnel-profile-"));
  await mkdir(join(profile, "Default"), { recursive: true });
  const settings = { profile: { block_third_party_cookies: true, cookie_controls_mode: 1 } };
  await writeFile(join(profile, "Default", "Preferences"), JSON.stringify(settings));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    viewport: { width: 1440, height: 900 },
    locale: "en-US",
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
