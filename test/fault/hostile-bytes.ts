/** Bytes on a bare TCP socket, and everything that came back on it. */

import { connect } from "node:net";

/** Milliseconds within which the agent has answered and hung up, whatever it was told. */
const PATIENCE_MS = 20_000;
const MASK = Buffer.from([0x5a, 0xa5, 0x3c, 0xc3]);

/** Characters beyond U+00FF have no byte of their own and are not for this. */
export const bytes = (text: string): Buffer => Buffer.from(text, "latin1");

/** A request without a body; what it lacks or has twice is the caller's business. */
export const head = (line: string, ...headers: string[]): string => [line, ...headers, "", ""].join("\r\n");

/** Writes the pieces as segments of their own, and resolves with all that came back once the agent has hung up. */
export async function exchange(port: number, ...pieces: Uint8Array[]): Promise<string> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const socket = connect({ port, host: "127.0.0.1", noDelay: true, signal });
  const heard: Buffer[] = [];
  // A reset in the middle of writing is one way of hanging up.
  socket.on("data", (chunk) => heard.push(chunk)).on("error", () => {});
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (const piece of pieces) if (!socket.destroyed) await new Promise((resolve) => socket.write(piece, resolve));
  await closed;
  const said = Buffer.concat(heard).toString("latin1");
  if (signal.aborted) throw new Error(`the agent had not hung up after ${PATIENCE_MS} ms: ${said}`);
  return said;
}

/** One segment for each byte. */
export const crumbs = (text: string | Buffer): Buffer[] => Array.from(Buffer.from(text), (byte) => Buffer.of(byte));

/** The status of each answer; the next one begins where the body of the last one ends. */
export function statuses(said: string): number[] {
  return Array.from(said.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status));
}

/** A client's frame, masked as it has to be; `first` has the end, the reserved bits and the opcode. */
export function frame(first: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const long = payload.length > 125;
  const size = Buffer.alloc(long ? 3 : 1, (long ? 126 : payload.length) | 0x80);
  if (long) size.writeUInt16BE(payload.length, 1);
  return Buffer.concat([Buffer.of(first), size, MASK, payload.map((byte, at) => byte ^ (MASK[at % 4] ?? 0))]);
}

/** The code of the close frame with which the agent's side of a WebSocket ends, if it had the time to say one. */
export function closeCode(said: string): number | undefined {
  const frames = bytes(said.slice(said.indexOf("\r\n\r\n") + 4));
  const at = frames.lastIndexOf(0x88);
  return at >= 0 && at + 3 < frames.length ? frames.readUInt16BE(at + 2) : undefined;
}
