/** What the bench takes from the machine: programs (installed where they are missing) and free ports. */

import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";

/** The checkout. */
export const ROOT = new URL("../..", import.meta.url).pathname;

/** Debian's packages for the programs of a comparison. */
const PACKAGES = {
  busybox: "busybox-static",
  docker: "docker.io",
  iperf3: "iperf3",
  nginx: "nginx-light",
  ssh: "openssh-client",
  "ssh-keygen": "openssh-client",
  sshd: "openssh-server",
} as const;

/** Daemons are there although a user's PATH may not show them. */
const MORE_PLACES = ["/usr/local/sbin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

export type Program = keyof typeof PACKAGES;

/** Absolute path of the program, installed first where that is needed and possible. Rejects with what to install where it is not. */
export async function provide(program: Program): Promise<string> {
  await run({ file: join(ROOT, "bin/lib/packages"), args: [`${program}=${PACKAGES[program]}`] });
  const [path] = await find(program);
  if (!path) throw new Error(`${program} is missing although the package ${PACKAGES[program]} is installed`);
  return path;
}

/** Every executable of that name, in the order of the PATH. */
export async function find(program: string): Promise<string[]> {
  const places = new Set([...(process.env["PATH"] ?? "").split(":").filter(Boolean), ...MORE_PLACES]);
  const found: string[] = [];
  for (const place of places) if (await isExecutable(join(place, program))) found.push(join(place, program));
  return found;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
