/** Builds dist/: the agent with its packages outside, ctl as one small file that starts fast, and the page. */

import { mkdir, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build as buildProgram } from "rolldown";
import { build as buildPage } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

/** `bin/prepare` compares the sources with it, so it is as old as the start of the build. */
const stamp = `${root}dist/.built`;

/** Its packages stay outside, because some of them load files beside themselves. */
const agent: BuildOptions = {
  cwd: root,
  platform: "node",
  input: {
    "agent/main": "./src/agent/main.ts",
    "agent/dial-helper": "./src/agent/runtime/docker/dial-helper.ts",
  },
  external: /^[^./]/,
  output: { dir: "dist", entryFileNames: "[name].js", chunkFileNames: "agent/[name].js" },
};

/** What `ws` loads only where it is installed stays outside; everything else is one file, because reading many is slow. */
const ctl: BuildOptions = {
  cwd: root,
  platform: "node",
  input: { "ctl/main": "./src/ctl/main.ts" },
  external: ["bufferutil", "utf-8-validate"],
  output: { dir: "dist", entryFileNames: "[name].js", codeSplitting: false, minify: true },
};

await mkdir(`${root}dist`, { recursive: true });
await writeFile(`${stamp}.new`, "");
const page = { configFile: `${root}vite.config.ts`, logLevel: "warn" } as const;
await Promise.all([buildProgram(agent), buildProgram(ctl), buildPage(page)]);
await rename(`${stamp}.new`, stamp);
