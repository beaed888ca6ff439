/** A real file system of so few bytes that a test can fill it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const DISK_BYTES = 1024 * 1024;

export async function mountDisk(bytes: number = DISK_BYTES): Promise<string> {
  const disk = await mkdtemp(join(tmpdir(), "fl-disk-"));
  await run("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", disk]);
  return disk;
}

export async function unmount(disk: string): Promise<void> {
  await run("umount", [disk]);
  await rm(disk, { recursive: true });
}

/** To the last byte. */
export async function fill(disk: string): Promise<void> {
  const { bsize, blocks } = await statfs(disk);
  await assert.rejects(writeFile(join(disk, "filler"), Buffer.alloc(2 * bsize * blocks)), { code: "ENOSPC" });
}

export async function makeRoom(disk: string): Promise<void> {
  await rm(join(disk, "filler"));
}
