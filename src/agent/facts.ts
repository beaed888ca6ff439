/** What the agent tells its server of this host. */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { arch, availableParallelism, hostname, platform, totalmem } from "node:os";
import type { NodeFacts } from "../protocol/node.ts";
import type { Runtime } from "./runtime/runtime.ts";

/** For the engine to say who it is, in milliseconds: the registration does not wait longer for one that is away. */
const ENGINE_MS = 2_000;
const ENGINES: Record<string, readonly string[]> = {
  docker: ["/var/run/docker.sock", "/usr/bin/docker"],
  podman: ["/run/podman/podman.sock", "/usr/bin/podman"],
};
const ID_LENGTH = 32;

export interface FactsParts {
  runtime: Runtime;
  name: string;
  mode: string;
  version: string;
  /** Where others reach this agent itself, if they do. */
  door: { server: string; pin: string } | undefined;
  /** Whose a shell on this host is, where there is one. */
  hostShell: string | undefined;
  /** How often this host wants to report, if it has a wish. */
  heartbeatInterval: number | undefined;
}

export async function gatherFacts(parts: FactsParts): Promise<NodeFacts> {
  const { runtime, name, mode, version, door, hostShell, heartbeatInterval } = parts;
  const [engine, machineId] = await Promise.all([
    runtime.info(AbortSignal.timeout(ENGINE_MS)).catch(() => undefined),
    machineHint(),
  ]);
  const found = Object.keys(ENGINES).filter((each) => ENGINES[each]?.some((path) => existsSync(path)));
  return {
    name,
    hostname: hostname(),
    platform: platform() === "win32" ? "windows" : platform(),
    arch: arch(),
    cpuCount: availableParallelism(),
    memoryTotal: totalmem(),
    containerEngines: [...new Set([...(engine ? [engine.name] : []), ...found])],
    ...(engine && { engine: `${engine.name} ${engine.version}` }),
    agentVersion: version,
    mode: mode === "fleet" ? "fleet" : "byom",
    ...(machineId && { machineId }),
    ...(door && { url: door.server, pin: door.pin }),
    ...(hostShell !== undefined && { hostShell }),
    ...(heartbeatInterval !== undefined && { heartbeatInterval }),
  };
}

/** The machine's id is told to nobody (machine-id(5)); what is made from it tells two machines apart just as well. */
async function machineHint(): Promise<string | undefined> {
  const id = await readFile("/etc/machine-id", "utf8").catch(() => "");
  if (id.trim() === "") return undefined;
  return createHash("sha256").update(`fairlead ${id.trim()}`).digest("hex").slice(0, ID_LENGTH);
}
