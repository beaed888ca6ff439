/** Connects to a port of the network that this program is in, and of no other; for the programs that run inside a container's. */

import { connect, type Socket } from "node:net";
import { networkInterfaces } from "node:os";

/** Where services listen that mean to be reached from inside only. */
const LOOPBACK = ["127.0.0.1", "::1"];

/**
 * Tries loopback, then the network's own addresses, within `timeout` milliseconds: of what is left, each may take its equal
 * share, so that silent ones do not keep it from the last. Nothing is read: the first bytes belong to somebody else. Rejects
 * with the system's error that says most: a refusal says more than "no such address here".
 */
export async function connectInside(port: number, { timeout }: { timeout: number }): Promise<Socket> {
  const deadline = performance.now() + timeout;
  const hosts = [...LOOPBACK, ...ownAddresses()];
  let failure: unknown;
  for (const [at, host] of hosts.entries()) {
    try {
      return await open({ host, port }, (deadline - performance.now()) / (hosts.length - at));
    } catch (error) {
      if (codeOf(failure) !== "ECONNREFUSED") failure = error;
    }
  }
  throw failure;
}

/** For an answer; "EIO" for what is none of the system's errors. */
export function codeOf(error: unknown): string {
  return (error as { code?: string } | undefined)?.code ?? "EIO";
}

/** What is link-local has no meaning without a zone. */
function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return all.filter(({ internal, address }) => !internal && !address.startsWith("fe80:")).map((it) => it.address);
}

function open(target: { host: string; port: number }, timeout: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const late = () => socket.destroy(Object.assign(new Error("time-out"), { code: "ETIMEDOUT" }));
    const timer = setTimeout(late, timeout);
    socket.pause();
    socket.once("error", reject);
    socket.once("close", () => clearTimeout(timer));
    socket.once("connect", () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
