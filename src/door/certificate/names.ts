/** The names and addresses for which a self-made certificate holds: those under which others may reach this machine. */

import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { plainAddress } from "../address.ts";

/** Far more than a machine has that people dial. */
const MAX_NAMES = 64;
const DNS_NAME = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;
/** Networks of containers and virtual machines come and go, and only this machine reaches them. */
const INNER = /^(docker|br-|veth|podman|cni|virbr|lxc|fl-)/;
/** An address that is good on one link only, and not without its zone. */
const LINK_LOCAL = /^(fe[89ab]|169\.254\.)/;
const EVERYWHERE = ["0.0.0.0", "::"];

/** Loopback first, then names, then addresses; sorted, so that the same machine gives the same list. */
export function ownNames({ listenAddress, publicUrls }: { listenAddress: string; publicUrls: string[] }): string[] {
  const host = hostname().toLowerCase();
  const own = [listenAddress, host, host.split(".", 1)[0] ?? host, ...publicUrls.map((url) => new URL(url).hostname)];
  const all = [...own, ...interfaceAddresses()].map((name) => plainAddress(name).replace(/\.$/, ""));
  const usable = all.filter((name) => !EVERYWHERE.includes(name) && (isIP(name) !== 0 || DNS_NAME.test(name)));
  const names = usable.filter((name) => isIP(name) === 0).sort();
  const addresses = usable.filter((name) => isIP(name) !== 0 && !LINK_LOCAL.test(name)).sort();
  return [...new Set(["localhost", "127.0.0.1", "::1", ...names, ...addresses])].slice(0, MAX_NAMES);
}

function interfaceAddresses(): string[] {
  return Object.entries(networkInterfaces())
    .filter(([name]) => !INNER.test(name))
    .flatMap(([, addresses = []]) => addresses.map(({ address }) => address));
}
