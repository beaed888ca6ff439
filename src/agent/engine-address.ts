/** Which container engine the agent talks to, where the configuration leaves it open. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { userInfo } from "node:os";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import { StartError } from "../boot/run.ts";
import { isLoopback } from "../door/address.ts";
import type { AgentConfig } from "./config.ts";
// `bin/start` reads the same list.
import sockets from "./engine-sockets.json" with { type: "json" };

/** The first usual socket that is there, else where Docker's would be. `XDG_RUNTIME_DIR` is where those of the agent's user are. */
export function engineHost({ XDG_RUNTIME_DIR: own = `/run/user/${userInfo().uid}` }: NodeJS.ProcessEnv): string {
  const paths = sockets.map((path) => path.replace("$XDG_RUNTIME_DIR", own));
  return `unix://${paths.find((path) => existsSync(path)) ?? paths[0]}`;
}

/** Whether others are on the way to it. */
export function isExposed(host: string): boolean {
  const { protocol, hostname } = new URL(host);
  return protocol === "tcp:" && hostname !== "localhost" && !isLoopback(hostname.replace(/^\[|\]$/g, ""));
}

/** What TLS to the engine at `host` needs, in files named as Docker's own tools have them; nothing for a socket on this machine. */
export async function engineTls(
  host: string,
  { docker_cert_path: directory }: Pick<AgentConfig, "docker_cert_path">,
): Promise<{ tls?: { ca: Buffer; cert: Buffer; key: Buffer } }> {
  if (directory === "" || !host.startsWith("tcp://")) return {};
  const read = (name: string) =>
    readFile(join(directory, name)).catch((error: unknown) => {
      throw new StartError(`docker_cert_path: ${join(directory, name)} cannot be read (${String(error)}).`);
    });
  // One after the other: of several that are missing, the same one is named each time.
  const ca = await read("ca.pem");
  const cert = await read("cert.pem");
  const key = await read("key.pem");
  try {
    createSecureContext({ ca, cert, key });
  } catch (cause) {
    throw new StartError(`docker_cert_path: TLS cannot use the files in ${directory} (${String(cause)}).`, { cause });
  }
  return { tls: { ca, cert, key } };
}
