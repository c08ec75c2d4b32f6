// axe over the page as it stands: WCAG 2.2 AA and axe's own good practices, without exceptions.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Page } from "@playwright/test";
import type { AxeResults } from "axe-core";

const source = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Expects that axe finds nothing wrong. */
export async function accessible(page: Page, where: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  try {
    // By the protocol, past the page's policy, which forbids scripts of others.
    await session.send("Runtime.evaluate", { expression: `if (!window.axe) { ${source} }` });
    const answer = await session.send("Runtime.evaluate", {
      expression: `axe.run(document, { resultTypes: ["violations"], rules: { "target-size": { enabled: true } } })`,
      awaitPromise: true,
      returnByValue: true,
    });
    if (answer.exceptionDetails) throw new Error(`axe: ${answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text}`);
    const results = answer.result.value as AxeResults;
    const found = results.violations.map((v) => ({
      rule: `${v.id}: ${v.help}`,
      at: v.nodes.slice(0, 5).map((n) => `${n.target.join(" ")}  ${n.html.slice(0, 160)}  ${n.failureSummary?.split("\n").slice(1).join("; ") ?? ""}`),
    }));
    expect(found, `what axe finds on ${where}`).toEqual([]);
  } finally {
    await session.detach();
  }
}
