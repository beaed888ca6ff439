/** The arrows between the folders, and the one place that each foreign library has. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** Longest match wins; a folder may always import itself. `agent/runtime/runtime.ts` alone is the waist. */
const MAY_IMPORT: Record<string, string[]> = {
  mux: [],
  lib: [],
  protocol: [],
  client: ["mux", "protocol", "lib"],
  auth: ["protocol", "lib"],
  boot: ["lib"],
  net: ["mux"],
  audit: ["protocol", "boot", "lib"],
  door: ["mux", "protocol", "auth", "audit", "boot", "lib"],
  "agent/runtime": ["mux", "net", "lib"],
  "agent/session": ["mux", "protocol", "client", "auth", "audit", "lib", "agent/runtime/runtime.ts"],
  "agent/gateway": [
    "mux",
    "net",
    "protocol",
    "client",
    "auth",
    "audit",
    "door",
    "lib",
    "agent/session",
    "agent/runtime/runtime.ts",
  ],
  "agent/uplink": ["mux", "net", "protocol", "auth", "lib"],
  agent: ["mux", "net", "protocol", "client", "auth", "audit", "boot", "door", "lib", "agent"],
  server: ["mux", "net", "protocol", "client", "auth", "audit", "boot", "door", "lib"],
  ctl: ["client", "protocol", "audit", "boot", "net", "lib"],
  ui: ["client", "protocol", "lib"],
};

/** A foreign library, and the only folders that know it. */
const KNOWN_BY: Record<string, string[]> = {
  dockerode: ["agent/runtime/docker"],
  "node-pty": ["agent/runtime/pty.ts"],
  fastify: ["door", "agent/gateway", "server/http"],
  ws: ["net", "door", "agent/gateway", "agent/uplink", "ctl"],
  "http-proxy": ["door/apps/proxy.ts"],
  undici: ["door/apps"],
  pino: ["boot", "agent/agent.ts", "server/server.ts"],
  "prom-client": ["door", "agent/gateway", "agent/metrics", "agent/machine.ts", "agent/agent.ts", "server"],
  pkijs: ["door/certificate"],
  asn1js: ["door/certificate"],
  commander: ["ctl"],
  yaml: ["boot", "ctl"],
  zod: [
    "protocol",
    "boot",
    "door",
    "agent/config.ts",
    "agent/engine-settings.ts",
    "agent/grants.ts",
    "agent/session",
    "agent/gateway",
    "agent/uplink",
    "server",
    "client",
    "ctl",
    "ui",
  ],
  "tar-stream": ["ctl/copy"],
  preact: ["ui"],
  "@xterm/xterm": ["ui"],
};

/** No Node there, and no browser. */
const NEUTRAL = ["mux", "lib", "protocol", "client"];

/** Every import of a file: static, dynamic, type only, re-export. */
function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const found = code.matchAll(/(?:\bfrom\s*|\bimport\s*\(?\s*)"([^"]+)"/g);
  return [...found].map(([, name]) => name ?? "");
}

/** What is wrong with a file (a path below src) that imports this. */
export function breach(file: string, name: string): string | undefined {
  const home = Object.keys(MAY_IMPORT)
    .filter((folder) => file.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length)[0];
  if (home === undefined) return `${file} lies in no folder of the table`;
  if (!name.startsWith(".")) return foreign(file, home, name);
  const target = relative(src, resolve(src, dirname(file), name));
  if (target === "../package.json" && /(main|version).ts$/.test(file)) return undefined;
  const allowed = [home, ...(MAY_IMPORT[home] ?? [])];
  if (allowed.some((it) => target === it || target.startsWith(`${it}/`))) return undefined;
  return `${file} imports ${target}`;
}

function foreign(file: string, home: string, name: string): string | undefined {
  const library = name.startsWith("@") ? name.split("/").slice(0, 2).join("/") : (name.split("/")[0] ?? name);
  if (name.startsWith("node:")) return NEUTRAL.includes(home) ? `${file} is neutral and imports ${name}` : undefined;
  const homes = KNOWN_BY[library];
  if (homes && !homes.some((it) => file === it || file.startsWith(`${it}/`))) return `${file} imports ${library}`;
  if (!homes && NEUTRAL.includes(home)) return `${file} is neutral and imports ${library}`;
  return undefined;
}

test("every import follows the arrows", () => {
  const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((file) => /\.tsx?$/.test(file));
  const breaches = files
    .filter((file) => file !== "globals.d.ts")
    .flatMap((file) => importsOf(readFileSync(join(src, file), "utf8")).map((name) => breach(file, name)));
  assert.deepEqual(breaches.filter(Boolean), []);
});

test("a breach of every forbidden pair is found", () => {
  const folders = Object.keys(MAY_IMPORT);
  for (const from of folders)
    for (const to of folders) {
      if (from === to || from.startsWith(`${to}/`) || to.startsWith(`${from}/`)) continue;
      const allowed = (MAY_IMPORT[from] ?? []).some((it) => to === it || to.startsWith(`${it}/`));
      const up = "../".repeat(from.split("/").length);
      const found = breach(`${from}/planted.ts`, `${up}${to}/planted.ts`);
      assert.equal(found === undefined, allowed, `${from} -> ${to}`);
    }
});

test("a foreign library outside its place is found", () => {
  for (const library of Object.keys(KNOWN_BY)) assert.ok(breach("auth/planted.ts", library), library);
  assert.ok(breach("mux/planted.ts", "node:fs"));
  assert.ok(breach("protocol/planted.ts", "lodash"));
});

test("type-only, dynamic and re-exporting imports are seen", () => {
  const text = `import type { A } from "./a.ts";\nexport { B } from "./b.ts";\nawait import("./c.ts");\nimport "./d.ts";`;
  assert.deepEqual(importsOf(text), ["./a.ts", "./b.ts", "./c.ts", "./d.ts"]);
});
