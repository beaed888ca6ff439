/** Builds dist/: agent and server with their packages outside, ctl as one small file that starts fast, and the page. */

import { mkdir, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build as buildProgram, type Plugin } from "rolldown";
import { build as buildPage } from "vite";

const root = fileURLToPath(new URL(".", import.meta.url));

/** `bin/lib/prepare` compares the sources with it, so it is as old as the start of the build. */
const stamp = `${root}dist/.built`;

/** Its packages stay outside, because some of them load files beside themselves. */
const agent: BuildOptions = {
  cwd: root,
  platform: "node",
  input: {
    "agent/main": "./src/agent/main.ts",
    "agent/dial-helper": "./src/agent/runtime/docker/dial-helper.ts",
    "agent/guest": "./src/agent/runtime/docker/guest/program.ts",
    "agent/keeper": "./src/agent/runtime/host/keeper.ts",
  },
  external: /^[^./]/,
  output: { dir: "dist", entryFileNames: "[name].js", chunkFileNames: "agent/[name].js" },
};

const server: BuildOptions = {
  cwd: root,
  platform: "node",
  input: { "server/main": "./src/server/main.ts" },
  external: /^[^./]/,
  output: { dir: "dist", entryFileNames: "[name].js", chunkFileNames: "server/[name].js" },
};

/** Loading these takes longer than the rest of a short command, and most commands need none of them. */
const RARELY_NEEDED = ["child_process", "https", "tls", "zlib"];

/** Puts a stand-in before each of them that loads it when it is first used. */
const loadLate: Plugin = {
  name: "load-late",
  resolveId(id) {
    const name = id.replace(/^node:/, "");
    return RARELY_NEEDED.includes(name) ? `\0late:${name}` : undefined;
  },
  load(id) {
    if (!id.startsWith("\0late:")) return undefined;
    const name = id.slice(6);
    // Who imports single names of it copies those that it says it has.
    const names = Object.keys(process.getBuiltinModule(name) ?? {}).map((each) => [each, null]);
    const shape = JSON.stringify(Object.fromEntries(names));
    return `let real; module.exports = new Proxy(${shape}, { get: (_, key) => (real ??= process.getBuiltinModule("${name}"))[key] });`;
  },
};

/**
 * One CommonJS file, because reading many is slow and Node's loader of ES modules alone takes as long as the rest.
 * What `ws` loads only where it is installed stays outside.
 */
const ctl: BuildOptions = {
  cwd: root,
  platform: "node",
  input: { "ctl/main": "./src/ctl/main.ts" },
  external: ["bufferutil", "utf-8-validate"],
  plugins: [loadLate],
  output: { dir: "dist", format: "cjs", entryFileNames: "[name].js", codeSplitting: false, minify: true },
};

await mkdir(`${root}dist`, { recursive: true });
await writeFile(`${stamp}.new`, "");
const page = { configFile: `${root}vite.config.ts`, logLevel: "warn" } as const;
await Promise.all([buildProgram(agent), buildProgram(server), buildProgram(ctl), buildPage(page)]);
await writeFile(`${root}dist/ctl/package.json`, `{"type":"commonjs"}\n`);
await rename(`${stamp}.new`, stamp);
