// Builds dashboard, portal and embed script, then leaves only compressed files: `node scripts/build.mjs [folder]`.
import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "vite";

const dist = path.resolve(process.argv[2] ?? "../internal/dash/dist");

const notices = "third-party.txt";
await build({ build: { outDir: dist, emptyOutDir: true, license: { fileName: notices } }, logLevel: "warn" });
await build({
  configFile: false,
  logLevel: "warn",
  publicDir: false,
  build: {
    outDir: dist,
    emptyOutDir: false,
    lib: { entry: "src/embed/embed.ts", formats: ["iife"], name: "GrapnelPortal", fileName: () => "embed.js" },
  },
});

// Vite lists the scripts' licences; fonts and the base of the styles come in by CSS, which it does not look at.
for (const name of ["@fontsource-variable/inter", "@fontsource-variable/jetbrains-mono", "tailwindcss"]) {
  const folder = path.join("node_modules", name);
  const { version, license } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const text = await readFile(path.join(folder, "LICENSE"), "utf8");
  await appendFile(path.join(dist, notices), `\n## ${name} - ${version} (${license})\n\n${text}`);
}

// The server fills the pages at each request; everything else it sends as it lies there.
for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
  const file = path.join(entry.parentPath, entry.name);
  if (!entry.isFile() || entry.name.endsWith(".html")) continue;
  const bytes = await readFile(file);
  await writeFile(`${file}.gz`, gzipSync(bytes, { level: 9 }));
  await writeFile(
    `${file}.br`,
    brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  );
  await rm(file);
}
await import("./budget.mjs");
