/** Which container engine the agent talks to, where the configuration leaves it open. */

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StartError } from "../boot/run.ts";
import type { AgentConfig } from "./config.ts";

const DOCKER_SOCKET = "/var/run/docker.sock";
const SOCKETS = [DOCKER_SOCKET, "/run/podman/podman.sock"];

/** The first usual socket that is there, else where Docker's would be. */
export function engineHost(): string {
  return `unix://${SOCKETS.find((path) => existsSync(path)) ?? DOCKER_SOCKET}`;
}

/** The client certificate for an engine behind TLS, named as Docker's own tools have it. */
export async function engineTls({
  docker_cert_path: directory,
}: AgentConfig): Promise<{ tls?: { ca: Buffer; cert: Buffer; key: Buffer } }> {
  if (directory === "") return {};
  const read = (name: string) =>
    readFile(join(directory, name)).catch((error: unknown) => {
      throw new StartError(`docker_cert_path: ${join(directory, name)} cannot be read (${String(error)})`);
    });
  const [ca, cert, key] = await Promise.all([read("ca.pem"), read("cert.pem"), read("key.pem")]);
  return { tls: { ca, cert, key } };
}
