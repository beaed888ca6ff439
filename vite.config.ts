/** Bundles the browser program: `public/` is the hand-written root, `dist/ui` the result; nothing inline, so the strict CSP holds. */

import { defineConfig } from "vite";

export default defineConfig({
  root: "public",
  publicDir: false,
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist/ui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // xterm.js is most of it, in kB.
    chunkSizeWarningLimit: 600,
  },
});
