// Adds up the gzip sizes of the scripts that a page loads before anything is clicked, and fails over the limit.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";

const limits = { "index.html": 220_000, "portal.html": 180_000 };
const dist = path.resolve(process.argv[2] ?? "../internal/dash/dist");

/** Everything the file imports statically, with itself. */
async function graph(file, seen = new Map()) {
  if (seen.has(file)) return seen;
  const packed = await readFile(path.join(dist, `${file}.gz`));
  seen.set(file, packed.length);
  const code = gunzipSync(packed).toString();
  for (const found of code.matchAll(/(?:\bfrom|\bimport)\s*["'](\.\.?\/[^"']+\.js)["']/g)) {
    await graph(path.posix.join(path.posix.dirname(file), found[1]), seen);
  }
  return seen;
}

let over = false;
for (const [page, limit] of Object.entries(limits)) {
  const html = await readFile(path.join(dist, page), "utf8");
  const seen = new Map();
  for (const found of html.matchAll(/(?:src|href)="(?:\.\/)?([^"]+\.js)"/g)) await graph(found[1], seen);
  const sum = [...seen.values()].reduce((a, b) => a + b, 0);
  over ||= sum > limit;
  console.log(`${page}: ${(sum / 1000).toFixed(1)} kB of initial JavaScript (gzip), at most ${limit / 1000} kB`);
}
if (over) {
  console.error("over budget: load what is not needed at first with import()");
  process.exit(1);
}
