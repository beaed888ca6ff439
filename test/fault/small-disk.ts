/** A real file system of so few bytes that a test can fill it. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, mkdtemp, rm, stat, statfs, truncate } from "node:fs/promises";
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

export async function remount(disk: string, how: "ro" | "rw"): Promise<void> {
  await run("mount", ["-o", `remount,${how}`, disk]);
}

export async function unmount(disk: string): Promise<void> {
  await run("umount", [disk]);
  await rm(disk, { recursive: true });
}

/** But for so many bytes. */
export async function fill(disk: string, left = 0): Promise<void> {
  const filler = join(disk, "filler");
  const { bsize, blocks } = await statfs(disk);
  await assert.rejects(appendFile(filler, Buffer.alloc(2 * bsize * blocks)), { code: "ENOSPC" });
  await truncate(filler, (await stat(filler)).size - left);
}

export async function makeRoom(disk: string): Promise<void> {
  await rm(join(disk, "filler"));
}
