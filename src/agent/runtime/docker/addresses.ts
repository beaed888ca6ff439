/** Which of a container's addresses may be dialled: never one that is this host. */

import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { ContainerInspectInfo } from "dockerode";

const NEVER = new BlockList();
NEVER.addSubnet("0.0.0.0", 8, "ipv4");
NEVER.addSubnet("127.0.0.0", 8, "ipv4");
NEVER.addSubnet("169.254.0.0", 16, "ipv4");
NEVER.addSubnet("224.0.0.0", 3, "ipv4");
NEVER.addSubnet("::", 127, "ipv6");
NEVER.addSubnet("fe80::", 10, "ipv6");
NEVER.addSubnet("ff00::", 8, "ipv6");

/** On its networks, in the engine's order; what is loopback, link-local, multicast or this host's own is left out. */
export function containerAddresses(container: ContainerInspectInfo): string[] {
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((item) => item.address)));
  const networks = Object.values(container.NetworkSettings.Networks ?? {});
  const addresses = networks.flatMap((network) => [network.IPAddress, network.GlobalIPv6Address]);
  return addresses.filter((address) => address && !own.has(address) && isOrdinary(address));
}

function isOrdinary(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && !NEVER.check(address, version === 4 ? "ipv4" : "ipv6");
}
