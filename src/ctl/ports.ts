/** Which local ports lead to which ports of a container, as the command line says it. */

import { isIP } from "node:net";
import { UsageError } from "./failure.ts";

/** 0: any that is free. */
export interface PortPair {
  local: number;
  remote: number;
}

const MAX_PORT = 65_535;
/** What an agent takes in one forward. */
const MAX_PAIRS = 64;

/** `8080:80`, `5432` (the same on both sides) or `:9000` (any free local port). Throws {@link UsageError}. */
export function parsePorts(specs: readonly string[]): PortPair[] {
  if (specs.length > MAX_PAIRS)
    throw new UsageError(`One forward takes up to ${MAX_PAIRS} ports. Start another one for the rest.`);
  return specs.map((spec) => {
    const [, local, remote = ""] = /^(?:(\d*):)?(\d+)$/.exec(spec) ?? [];
    const pair = { local: Number(local ?? remote), remote: Number(remote) };
    if (remote !== "" && pair.remote >= 1 && pair.remote <= MAX_PORT && pair.local <= MAX_PORT) return pair;
    throw new UsageError(`"${spec}" is not a port. Write 8080:80, 5432 or :9000, with ports from 1 to ${MAX_PORT}.`);
  });
}

/** Each group of addresses shares one port: `localhost` is 127.0.0.1 and ::1. Throws {@link UsageError}. */
export function parseAddresses(texts: readonly string[]): string[][] {
  const words = texts.flatMap((text) => text.split(",")).filter((word) => word !== "");
  return [...new Set(words.length > 0 ? words : ["localhost"])].map((word) => {
    if (word === "localhost") return ["127.0.0.1", "::1"];
    if (isIP(word)) return [word];
    throw new UsageError(`"${word}" is not an address to listen on. Write localhost or an IP address such as 0.0.0.0.`);
  });
}
