import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.GRAPNEL_URL ?? "http://127.0.0.1:8080";

/** In the dev server nobody fills the pages' two placeholders, and deep links of the portal are its page. */
function devPages(): Plugin {
  return {
    name: "dev-pages",
    apply: "serve",
    configureServer(dev) {
      dev.middlewares.use((req, _res, next) => {
        const page = (req.headers.accept ?? "").includes("text/html") ? (req.url ?? "") : "";
        if (/^\/portal(\/|\?|$)/.test(page)) req.url = "/portal.html";
        next();
      });
    },
    transformIndexHtml: {
      order: "pre",
      handler: (html) => html.replaceAll("{{.Base}}", "/").replaceAll("{{.Nonce}}", "dev"),
    },
  };
}

export default defineConfig({
  base: "./",
  plugins: [react(), tailwindcss(), devPages()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2023",
    outDir: "../internal/dash/dist",
    emptyOutDir: true,
    assetsInlineLimit: 0, // the pages' policy allows no data: fonts and scripts
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { index: "index.html", portal: "portal.html" } },
  },
  worker: { format: "es" },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/ingest", "/in", "/healthz", "/openapi.json"].map((path) => [
        path,
        { target: server, changeOrigin: false },
      ]),
    ),
  },
  test: { environment: "jsdom", include: ["src/**/*.test.{ts,tsx}"], setupFiles: ["vitest.setup.ts"] },
});
