/** Network addresses as the gateway compares them: which are this machine, which are a proxy, and whom a connection counts against. */

import { BlockList, isIP } from "node:net";

/** All connections from this machine have one source: every local user shares it. */
const LOCAL = "loopback";
/** Longest chain of X-Forwarded-For that is looked at. */
const MAX_HOPS = 16;

/** Without the brackets, the zone and the IPv4-in-IPv6 prefix that one and the same address may come with. */
export function plainAddress(address: string): string {
  const bare = address.replace(/^\[|\]$|%.*$/g, "").toLowerCase();
  return bare.startsWith("::ffff:") && bare.includes(".") ? bare.slice(7) : bare;
}

export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || (isIP(plain) === 4 && plain.startsWith("127."));
}

/** Addresses and networks, e.g. `10.1.2.3` or `fd00::/8`; throws for anything else. */
export class Networks {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  constructor(networks: readonly string[]) {
    this.#empty = networks.length === 0;
    for (const network of networks) this.#add(network);
  }

  has(address: string): boolean {
    if (this.#empty) return false;
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && this.#list.check(plain, version === 4 ? "ipv4" : "ipv6");
  }

  #add(network: string): void {
    const [address = "", bits, ...rest] = network.split("/");
    const version = isIP(address);
    const width = version === 4 ? 32 : 128;
    const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (version === 0 || rest.length > 0 || prefix < 0 || prefix > width)
      throw new Error(`"${network}" is neither an address nor a network such as 10.0.0.0/8 (trusted_proxies).`);
    this.#list.addSubnet(address, prefix, version === 4 ? "ipv4" : "ipv6");
  }
}

/** Whom a connection counts against. `shared` when many people stand behind the one address. */
export interface Source {
  name: string;
  /** What the audit shows. */
  address: string;
  shared: boolean;
}

/**
 * The peer itself; or, when the peer is a trusted proxy, the last address in X-Forwarded-For that is not one: what
 * stands further left was written by the client.
 */
export function sourceOf(peer: string | undefined, forwardedFor: string | undefined, proxies: Networks): Source {
  const direct = plainAddress(peer ?? "");
  if (!proxies.has(direct)) return { name: sourceName(direct), address: direct, shared: isLoopback(direct) };
  const hops = (forwardedFor ?? "")
    .split(",")
    .slice(-MAX_HOPS)
    .map((hop) => plainAddress(hop.trim()));
  const client = hops.findLast((hop) => !proxies.has(hop));
  if (client === undefined || isIP(client) === 0) return { name: direct, address: direct, shared: true };
  return { name: sourceName(client), address: client, shared: false };
}

/** One household has a whole /64 network of IPv6 addresses to choose from. */
function sourceName(address: string): string {
  if (isLoopback(address)) return LOCAL;
  return isIP(address) === 6 ? `${firstHalf(address)}::/64` : address;
}

function firstHalf(address: string): string {
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}
