/** How many new connections a second get as far as their first byte. */

import { connect } from "node:net";

/** Longest wait for one first byte, in milliseconds. */
const LIMIT = 10_000;

/** Opens `count` connections to a local port one after the other, each until its first byte arrives; connections a second. */
export async function connectionRate(port: number, count: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) await firstByte(port);
  return count / ((performance.now() - start) / 1000);
}

function firstByte(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, timeout: LIMIT });
    socket.once("data", () => {
      socket.end();
      resolve();
    });
    socket.once("timeout", () => socket.destroy(new Error(`no first byte from port ${port} in ${LIMIT} ms`)));
    socket.once("error", reject);
    socket.once("end", () => reject(new Error(`port ${port} closed a connection without a byte`)));
  });
}
