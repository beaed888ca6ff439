/** The way to this machine that other machines take. */

import { networkInterfaces } from "node:os";

/** An IPv4 address of this machine that is not loopback; there is one wherever an engine has a bridge. */
export function outsideAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  const found = all.find(({ family, internal }) => family === "IPv4" && !internal);
  if (!found) throw new Error("this machine has no address but loopback");
  return found.address;
}
