/** Full-screen programs inside a test's container: this machine's own, with the libraries they need. */

import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { Engine } from "../../support/engine.ts";

const run = promisify(execFile);

const PROGRAMS = ["bash", "htop", "vim.tiny"];

/** Only what is the same in every run: no meter that moves, no column that counts. */
const HTOPRC = `htop_version=3.2.2
config_reader_min_version=3
header_layout=two_50_50
column_meters_0=Hostname
column_meter_modes_0=2
column_meters_1=Blank
column_meter_modes_1=2
delay=10
screen_tabs=0
screen:Main=USER PRIORITY NICE STATE Command
.sort_key=PID
.sort_direction=1
`;

/** Two hundred different lines. */
const TEXT = Array.from({ length: 200 }, (_, i) => `line ${i + 1}: ${"=".repeat(i % 90)}\n`).join("");

/** Copies them into a running container, with a file to edit at /root/text. */
export async function addTools(engine: Engine, container: string): Promise<void> {
  const tree = await mkdtemp(join(tmpdir(), "fl-tools-"));
  try {
    for (const file of await needed()) await run("cp", ["--parents", "--dereference", file, tree]);
    await write(join(tree, "root/.config/htop/htoprc"), HTOPRC);
    await write(join(tree, "root/text"), TEXT);
    await write(join(tree, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    await engine.docker("cp", `${tree}/.`, `${container}:/`);
  } finally {
    await rm(tree, { recursive: true });
  }
}

async function needed(): Promise<string[]> {
  const { stdout: programs } = await run("sh", ["-c", 'for p; do command -v "$p"; done', "sh", ...PROGRAMS]);
  const files = programs.trim().split("\n");
  const { stdout: libraries } = await run("ldd", files);
  const { stdout: terminal } = await run("infocmp", ["-D"]);
  const found = new Set([...files, ...[...libraries.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path ?? "")]);
  const { stdout: entry } = await run("find", [...terminal.trim().split("\n"), "-name", "xterm-256color"]).catch(
    (error: { stdout: string }) => error,
  );
  return [...found, ...entry.trim().split("\n")];
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}
