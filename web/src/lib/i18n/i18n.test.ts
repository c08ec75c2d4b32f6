import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { de } from "./de";
import { shared as sharedDe } from "./de/shared";
import { en } from "./en";
import { shared } from "./en/shared";
import type { Message } from "./message";

const names = (message: Message): string[] =>
  [
    ...new Set((typeof message === "string" ? message : Object.values(message).join(" ")).match(/\{\w+\}/g) ?? []),
  ].sort();

test("every language has every text, with the same parameters", () => {
  expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort());
  expect(Object.keys(sharedDe).sort()).toEqual(Object.keys(shared).sort());
  for (const [key, text] of Object.entries(en))
    expect([key, names(de[key as keyof typeof en])]).toEqual([key, names(text)]);
});

test("the portal has the texts of all that it draws", () => {
  const missing: string[] = [];
  for (const folder of ["portal", "parts", "ui", "lib"]) {
    const root = path.resolve("src", folder);
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/(?<!\.test)\.tsx?$/.test(entry.name)) continue;
      const file = path.join(entry.parentPath, entry.name);
      for (const [, key] of readFileSync(file, "utf8").matchAll(/\bt\(\s*"([\w.]+)"/g))
        if (key && !(key in shared) && !file.endsWith("Chart.tsx")) missing.push(`${entry.name}: ${key}`);
    }
  }
  expect(missing).toEqual([]);
});

test("no text is kept that nothing draws", () => {
  const code = readdirSync("src", { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name) && !entry.parentPath.includes("i18n"))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "utf8"))
    .join("\n");
  const said = new Set([...code.matchAll(/"([\w.]+)"/g)].map((found) => found[1]));
  const begun = [...code.matchAll(/`([\w.]+\.)\$\{/g)].map((found) => found[1] ?? "");
  expect(Object.keys(en).filter((key) => !said.has(key) && !begun.some((start) => key.startsWith(start)))).toEqual([]);
});
