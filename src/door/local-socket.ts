/** A second way to the same door for this user's programs on this machine: a socket file, without the cost of TCP and TLS. */

import { chmod, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { isUnwritable } from "../boot/private-file.ts";

/** The longest name that every system takes for a socket, in bytes. */
const MAX_PATH = 100;

export interface LocalSocket {
  close(): Promise<void>;
}

/**
 * Hands every connection to `accept` as if it had come over loopback: the same routes, budgets and proofs of who
 * calls. The file is for its owner only. Undefined where the path is too long for a socket, or the disk takes none.
 */
export async function listenLocally(path: string, accept: (socket: Socket) => void): Promise<LocalSocket | undefined> {
  if (Buffer.byteLength(path) > MAX_PATH) return undefined;
  let count = 0;
  const local = createServer({ allowHalfOpen: true }, (socket) => {
    count += 1;
    accept(withAddress(socket, count));
  });
  try {
    await listen(local, path);
  } catch (error) {
    if (isUnwritable(error)) return undefined;
    throw error;
  }
  return {
    close: () =>
      new Promise((resolve) => {
        local.close(() => resolve());
      }),
  };
}

async function listen(local: Server, path: string): Promise<void> {
  // Whoever starts has made sure that no other such program lives here: what is there was left by one that was killed.
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    local.once("error", reject);
    local.listen(path, resolve);
  });
  await chmod(path, 0o600);
}

/** A socket file has no address; limits are counted by one, and everything local counts as one place. */
function withAddress(socket: Socket, port: number): Socket {
  return Object.defineProperties(socket, { remoteAddress: { value: "127.0.0.1" }, remotePort: { value: port } });
}
