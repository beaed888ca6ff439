/** The image, built on a bare Debian from this checkout, for tests that run it. */

import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { command, dockerCli, type DockerClient } from "./docker-client.ts";

/** Milliseconds to make the bare system, or the image. */
const LONG_MS = 300_000;
/** Keeps the bare system for the next run. */
const DIRECTORY = process.env["FRESH_DIR"] ?? "/var/tmp/fairlead-fresh";
const MIRROR = process.env["FRESH_MIRROR"] ?? "http://deb.debian.org/debian";
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const IMPORT = 'tar -C "$1" -c --one-file-system --exclude=./var/cache/apt . | "$2" --host "$3" import - fairlead-base';

/** Gives its name. */
export async function buildImage({ host, docker }: DockerClient): Promise<string> {
  await command(join(ROOT, "bin/lib/packages"), ["/usr/sbin/debootstrap=debootstrap"], { timeout: LONG_MS });
  const base = await bareSystem();
  await command("sh", ["-c", IMPORT, "sh", base, dockerCli, host], { timeout: LONG_MS });
  const build = ["--host", host, "build", "--quiet", "--network", "none", "--build-arg", "BASE=fairlead-base"];
  await command(dockerCli, [...build, "--tag", "fairlead", ROOT], { timeout: LONG_MS });
  await docker("image", "prune", "--force");
  return "fairlead";
}

async function bareSystem(): Promise<string> {
  const base = join(DIRECTORY, "image-base");
  if (existsSync(base)) return base;
  await mkdir(DIRECTORY, { recursive: true });
  await rm(`${base}.new`, { recursive: true, force: true });
  await command("debootstrap", ["--variant=minbase", "bookworm", `${base}.new`, MIRROR], { timeout: LONG_MS });
  await rename(`${base}.new`, base);
  return base;
}
