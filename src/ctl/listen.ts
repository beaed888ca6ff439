/** Local ports that are open: all of them, or none. */

import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Failure } from "./failure.ts";
import type { PortPair } from "./ports.ts";

/** Attempts to find a port that is free on every address of a group. */
const MAX_TRIES = 20;

export interface Listener {
  /** `127.0.0.1:8080`, `[::1]:8080`. */
  address: string;
  remote: number;
  server: Server;
}

export type OnSocket = (socket: Socket, remote: number) => void;

/** Opens one port on each of the addresses that this machine has; throws with what to do when it cannot be had on one of them. */
export async function listenOn(addresses: readonly string[], pair: PortPair, onSocket: OnSocket): Promise<Listener[]> {
  for (let tries = 1; ; tries += 1) {
    const opened: Listener[] = [];
    try {
      let { local } = pair;
      for (const host of addresses) {
        const listener = await tryListen({ host, local, remote: pair.remote, optional: opened.length > 0 }, onSocket);
        if (!listener) continue;
        opened.push(listener);
        local = (listener.server.address() as AddressInfo).port;
      }
      return opened;
    } catch (error) {
      for (const { server } of opened) server.close();
      // A port that was free on one address may be taken on the next: any other will do.
      if (pair.local !== 0 || tries >= MAX_TRIES || !isCode(error, "EADDRINUSE")) throw worded(error, pair);
    }
  }
}

interface Wish {
  host: string;
  local: number;
  remote: number;
  /** Another address of the group is open already: this machine need not have this one. */
  optional: boolean;
}

function tryListen({ host, local, remote, optional }: Wish, onSocket: OnSocket): Promise<Listener | undefined> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => onSocket(socket, remote));
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const absent = isCode(error, "EADDRNOTAVAIL") || isCode(error, "EAFNOSUPPORT");
      if (absent && optional) resolve(undefined);
      else reject(error);
    });
    server.listen({ host, port: local, ipv6Only: true }, () => {
      const { port } = server.address() as AddressInfo;
      resolve({ server, remote, address: `${host.includes(":") ? `[${host}]` : host}:${port}` });
    });
  });
}

function worded(error: unknown, { local }: PortPair): Error {
  const { address = "", message } = error as NodeJS.ErrnoException & { address?: string };
  const words: [string, string][] = [
    [
      "EADDRINUSE",
      `Port ${local} of ${address} is taken by another program. Choose another one, or write :PORT for any that is free.`,
    ],
    ["EACCES", `Port ${local} of ${address} may not be opened by this user. Choose one above 1023.`],
    ["EADDRNOTAVAIL", `This machine does not have the address ${address}. Choose another --address.`],
  ];
  const known = words.find(([code]) => isCode(error, code));
  return new Failure(known?.[1] ?? `Port ${local} cannot be opened: ${message}.`, { cause: error });
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
