/** Where this agent can be dialled past its server: told only where it listens for other machines with TLS of its own. */

import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import { isLoopback } from "../door/address.ts";
import type { DirectDoor } from "../protocol/node.ts";
import type { AgentConfig } from "./config.ts";
import { ownContainer } from "./runtime/docker/own-image.ts";

/** Nothing is sent to these addresses (RFC 5737, RFC 3849): they ask the system which of its own it would send from. */
const ANYWHERE = { udp4: "192.0.2.1", udp6: "2001:db8::1" } as const;
const ANY_PORT = 9;
/** An interface's own, which means nothing elsewhere. */
const LINK_LOCAL = /^(fe80:|169\.254\.)/i;

/** `url` is where the door is open, for this machine. */
export async function directDoor(
  config: AgentConfig,
  { url, pin }: { url: string; pin: string | undefined },
): Promise<DirectDoor | undefined> {
  const { direct, listen_address: address, public_urls: publicUrls } = config;
  if (!direct || pin === undefined || address === "localhost" || isLoopback(address)) return undefined;
  const published = publicUrls.map((each) => new URL(each)).filter(({ protocol }) => protocol === "https:");
  const addresses = published.length > 0 ? published.map(placeOf) : await listening(config, new URL(url));
  return addresses.length > 0 ? { addresses, pin } : undefined;
}

/** Behind the wildcard, the addresses from which this host calls others; what a container listens on is nobody else's. */
async function listening({ listen_address: address, server_url: server }: AgentConfig, own: URL): Promise<string[]> {
  if (address !== "0.0.0.0" && address !== "::") return [placeOf(own)];
  if (ownContainer() !== undefined) return [];
  const target = new URL(server).hostname.replace(/^\[|\]$/g, "");
  const families = address === "::" ? (["udp4", "udp6"] as const) : (["udp4"] as const);
  const asked = families.flatMap((family) => [sourceTowards(family, target), sourceTowards(family, ANYWHERE[family])]);
  const found = (await Promise.all(asked)).flatMap((source) => source ?? []);
  const dialled = found.filter((source) => !isLoopback(source) && !LINK_LOCAL.test(source));
  return [...new Set(dialled)].map((source) => `${isIPv6(source) ? `[${source}]` : source}:${portOf(own)}`);
}

/** Undefined where no way leads there. */
function sourceTowards(family: "udp4" | "udp6", target: string): Promise<string | undefined> {
  const socket = createSocket(family);
  return new Promise<string | undefined>((resolve) => {
    socket.once("error", () => resolve(undefined));
    socket.connect(ANY_PORT, target, () => resolve(socket.address().address));
  }).finally(() => socket.close());
}

function placeOf(url: URL): string {
  return `${url.hostname}:${portOf(url)}`;
}

function portOf({ port }: URL): string {
  return port || "443";
}
