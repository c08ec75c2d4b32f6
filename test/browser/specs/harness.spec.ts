// The rig itself: what it watches for it notices, and what it blocks is blocked.
import { createServer } from "node:http";
import { accessible } from "../rig/axe.ts";
import { withoutThirdPartyCookies } from "../rig/frame.ts";
import { Guard } from "../rig/guard.ts";
import { listen } from "../rig/proxy.ts";
import { expect, test } from "../rig/test.ts";

test("a published message reaches the receiver @both", async ({ seed, receiver }) => {
  const to = await receiver();
  const app = await seed.app("Acme", { uid: "acme" });
  const endpoint = await seed.endpoint(app.id, to.url);
  const message = await seed.publish(app.id, "invoice.paid");
  await seed.settled(app.id, message.id, endpoint.id, "success");
  expect(to.received).toHaveLength(1);
});

test("the guard notices what goes wrong unseen, and axe what is not accessible", async ({ browser }) => {
  const faults = `<!doctype html><html lang="en"><title>Faults</title><main><h1>Faults</h1><button></button></main>
    <script>document.title = "run"</script><img src="http://elsewhere.invalid/x.png" alt="x"><script src="/a.js"></script></html>`;
  const site = await listen(
    createServer((req, res) => {
      if (req.url === "/a.js") res.writeHead(200, { "content-type": "text/javascript" }).end(`console.error("said"); throw new Error("thrown")`);
      else if (req.url === "/favicon.ico") res.writeHead(204).end();
      else res.writeHead(200, { "content-type": "text/html", "content-security-policy": "default-src 'self'; img-src *" }).end(faults);
    }),
  );
  const context = await browser.newContext();
  const guard = new Guard();
  guard.admit(site.origin);
  guard.watch(context);
  const page = await context.newPage();
  await page.goto(site.origin);
  await expect.poll(() => guard.problems.join("\n")).toMatch(/Content Security Policy/);
  await expect.poll(() => guard.problems.join("\n")).toMatch(/console: said/);
  await expect.poll(() => guard.problems.join("\n")).toMatch(/uncaught: Error: thrown/);
  await expect.poll(() => guard.problems.join("\n")).toMatch(/another host: GET http:\/\/elsewhere.invalid/);
  await expect(accessible(page, "a page with faults")).rejects.toThrow(/button-name/);
  await context.close();
  await site.stop();
});

test("a frame of another site gets no cookies", async () => {
  const cookies: string[] = [];
  const inner = await listen(
    createServer((req, res) => {
      if (req.url === "/counted") cookies.push(req.headers.cookie ?? "none");
      res.writeHead(200, { "content-type": "text/html", "set-cookie": "seen=1; SameSite=None; Secure; Path=/" }).end("<p>inner</p>");
    }),
  );
  const outer = await listen(
    createServer((_req, res) => {
      res.writeHead(200, { "content-type": "text/html" }).end(`<iframe src="${inner.origin}/counted"></iframe>`);
    }),
    "localhost",
  );
  const { context, close } = await withoutThirdPartyCookies();
  const page = await context.newPage();
  await page.goto(`${inner.origin}/counted`); // as a page of its own it may set one
  await page.goto(`${inner.origin}/counted`);
  await page.goto(outer.origin);
  await expect(page.frameLocator("iframe").getByText("inner")).toBeVisible();
  expect(cookies).toEqual(["none", "seen=1", "none"]);
  await close();
  await inner.stop();
  await outer.stop();
});
