/** Addresses that may be dialled. */

import assert from "node:assert/strict";
import { isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import type { ContainerInspectInfo } from "dockerode";
import { containerAddresses } from "../../../../src/agent/runtime/docker/addresses.ts";

function addressesOf(...list: string[]): string[] {
  const networks = Object.fromEntries(
    list.map((IPAddress, index) => [`net${index}`, { IPAddress, GlobalIPv6Address: "" }]),
  );
  return containerAddresses({ NetworkSettings: { Networks: networks } } as unknown as ContainerInspectInfo);
}

test("a container's own addresses are kept in their order", () => {
  assert.deepEqual(addressesOf("172.31.255.2", "", "10.250.0.9", "fd00::9"), ["172.31.255.2", "10.250.0.9", "fd00::9"]);
});

test("no address of this host, and none that means this host or a whole net, is dialled", () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((item) => item.address));
  const special = [
    "127.0.0.1",
    "127.9.9.9",
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "ff02::1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "2002:7f00:1::1",
    "2001:0:7f00:1::1",
  ];
  const mapped = own.filter((address) => isIPv4(address)).map((address) => `::ffff:${address}`);
  assert.deepEqual(addressesOf(...own, ...mapped, ...special, "::ffff:127.0.0.1", "localhost", "not an address"), []);
});
