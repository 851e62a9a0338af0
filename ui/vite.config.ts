import { fileURLToPath } from "node:url";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Where `npm run dev` finds the service; it must be told to the service, too: AUTOTUNER_HOSTS=localhost:5173. */
const service = process.env.AUTOTUNER_URL ?? "http://127.0.0.1:8686";

/** The text's font is asked for with the page, not after its styles: text never changes its shape while one reads. */
const preloadFont: Plugin = {
  name: "preload-font",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler: (_, { bundle }) =>
      Object.keys(bundle ?? {})
        .filter((file) => file.endsWith(".woff2"))
        .map((file) => ({
          tag: "link",
          attrs: { rel: "preload", as: "font", type: "font/woff2", href: `/${file}`, crossorigin: true },
          injectTo: "head" as const,
        })),
  },
};

export default defineConfig({
  plugins: [react(), tailwind(), preloadFont],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "dist",
    target: "es2023",
    // What is small is a file, too: the service allows no script that stands in the page.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 800,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: Object.fromEntries(
      ["/api", "/login", "/docs", "/openapi.json"].map((path) => [
        path,
        { target: service, changeOrigin: false },
      ]),
    ),
  },
});
