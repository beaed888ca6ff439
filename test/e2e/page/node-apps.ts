/** Containers that run this machine's own Node, with its libraries and what a test gives them to run. */

import { realpath } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Engine } from "../../support/engine.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

export interface NodeApp {
  name: string;
  ports: readonly number[];
  /** What Node is given, below /repository where that is this one. */
  command: readonly string[];
  /** More directories: here, and there. */
  mounts?: Record<string, string>;
}

export async function runNode(engine: Engine, { name, ports, command, mounts = {} }: NodeApp): Promise<void> {
  const readOnly = {
    [process.execPath]: "/node",
    [await realpath("/lib")]: "/lib",
    [await realpath("/lib64")]: "/lib64",
    [`${ROOT}test`]: "/repository/test",
    [await realpath(`${ROOT}node_modules`)]: "/repository/node_modules",
  };
  const args = [
    ...Object.entries(readOnly).flatMap(([here, there]) => ["--volume", `${here}:${there}:ro`]),
    ...Object.entries(mounts).flatMap(([here, there]) => ["--volume", `${here}:${there}`]),
    ...ports.flatMap((port) => ["--expose", String(port)]),
  ];
  await engine.run(name, { args, command: ["/node", ...command] });
}
