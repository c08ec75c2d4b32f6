// Pictures of a page for people to look at: light, dark, and on a narrow screen.
import { fileURLToPath } from "node:url";
import { expect, type Page } from "@playwright/test";

export const themes = ["light", "dark"] as const;

const folder = fileURLToPath(new URL("../shots/", import.meta.url));
const wide = { width: 1440, height: 900 };
const narrow = { width: 390, height: 844 };

/** Shows the page in a theme, as a system that is set to it does. */
export async function inTheme(page: Page, theme: (typeof themes)[number]): Promise<void> {
  await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
  await expect(page.locator("html")).toHaveAttribute("data-theme", theme);
}

export async function picture(page: Page, name: string, theme: string): Promise<void> {
  const width = page.viewportSize()?.width ?? 0;
  await page.screenshot({ path: `${folder}${name}-${theme}-${width}.png`, animations: "disabled" });
}

/** Pictures in both themes, then a narrow one; `each` looks closer at every theme. */
export async function pictures(page: Page, name: string, each: (theme: string) => Promise<void>): Promise<void> {
  for (const theme of themes) {
    await inTheme(page, theme);
    await picture(page, name, theme);
    await each(theme);
  }
  await inTheme(page, "light");
  await page.setViewportSize(narrow);
  await picture(page, name, "light");
  await expectNoSidewaysScroll(page, name);
  await page.setViewportSize(wide);
}

/** On a narrow screen the page itself is as wide as the screen: what is wider scrolls within its own box. */
async function expectNoSidewaysScroll(page: Page, name: string): Promise<void> {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(over, `pixels that ${name} is too wide on a narrow screen`).toBeLessThanOrEqual(0);
}
