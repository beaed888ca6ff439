/** Builds dist/: the agent with its packages outside, ctl as one small file that starts fast, and the page. */

import { existsSync } from "node:fs";
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
const programs = [agent, ctl].map(present).filter((program) => Object.keys(program.input ?? {}).length > 0);
const page = { configFile: `${root}vite.config.ts`, logLevel: "warn" } as const;
await Promise.all([...programs.map((program) => buildProgram(program)), buildPage(page)]);
await rename(`${stamp}.new`, stamp);

/** Leaves out entries that are not written yet. */
function present(options: BuildOptions): BuildOptions {
  const entries = Object.entries(options.input ?? {}).filter(([, file]) => existsSync(`${root}${file}`));
  return { ...options, input: Object.fromEntries(entries) as Record<string, string> };
}
