/** Which of a container's addresses may be dialled: never one that is this host. */

import { BlockList, isIP, isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import type { ContainerInspectInfo } from "dockerode";

const NEVER = new BlockList();
NEVER.addSubnet("0.0.0.0", 8, "ipv4");
NEVER.addSubnet("127.0.0.0", 8, "ipv4");
NEVER.addSubnet("169.254.0.0", 16, "ipv4");
NEVER.addSubnet("224.0.0.0", 3, "ipv4");
NEVER.addSubnet("fe80::", 10, "ipv6");
NEVER.addSubnet("ff00::", 8, "ipv6");
// Ways to write an IPv4 address, which may be any of the above: compatible, NAT64, 6to4, Teredo.
NEVER.addSubnet("::", 96, "ipv6");
NEVER.addSubnet("64:ff9b::", 32, "ipv6");
NEVER.addSubnet("2002::", 16, "ipv6");
NEVER.addSubnet("2001::", 32, "ipv6");

/** On its networks, in the engine's order; what is loopback, link-local, multicast or this host's own is left out. */
export function containerAddresses(container: ContainerInspectInfo): string[] {
  const own = ownAddresses();
  const networks = Object.values(container.NetworkSettings.Networks ?? {});
  const addresses = networks.flatMap((network) => [network.IPAddress, network.GlobalIPv6Address]);
  return addresses.filter((address) => isIP(address) !== 0 && !isIn(own, address) && !isIn(NEVER, address));
}

function ownAddresses(): BlockList {
  const own = new BlockList();
  const all = Object.values(networkInterfaces()).flatMap((list = []) => list);
  for (const { address } of all) own.addAddress(address, isIPv4(address) ? "ipv4" : "ipv6");
  return own;
}

/** However it is written, also as an IPv4 address within IPv6. */
function isIn(list: BlockList, address: string): boolean {
  return list.check(address, isIPv4(address) ? "ipv4" : "ipv6");
}
