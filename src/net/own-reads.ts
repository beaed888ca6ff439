/** Reading a connection into memory of one's own, whoever made it. */

import type { OnReadOpts } from "node:net";
import type { Duplex } from "node:stream";

/** How Node's sockets (`lib/net.js` of 24) keep what `onread` says; its types do not tell. */
const KEEPERS = ["kBuffer", "kBufferCb", "kBufferGen"] as const;
const HANDLE = "_handle";

/**
 * From now on what the connection brings goes into the memory that `onread` names, past the stream, which still tells its
 * end and its errors; pausing and resuming hold as ever. Node offers that to those only who dial (`net.connect`), though its
 * sockets do not care whence they come. False, and nothing has changed, for what is no socket of Node's, or has ended.
 */
export function readInto(connection: Duplex, onread: OnReadOpts): boolean {
  const handle: unknown = Reflect.get(connection, HANDLE);
  const symbols = Object.getOwnPropertySymbols(connection);
  const [buffer, callback, next] = KEEPERS.map((name) => symbols.find(({ description }) => description === name));
  if (!buffer || !callback || !next || !takesBuffers(handle)) return false;
  const first = typeof onread.buffer === "function" ? onread.buffer() : onread.buffer;
  Object.assign(connection, {
    [buffer]: first,
    [callback]: (size: number, bytes: Uint8Array) => onread.callback(size, bytes),
    [next]: typeof onread.buffer === "function" ? onread.buffer : null,
  });
  handle.useUserBuffer(first);
  return true;
}

/** The same for what comes as a stream: `onread` gets its chunks. */
export function readAsStream(connection: Duplex, onread: OnReadOpts): void {
  connection.on("data", (bytes: Buffer) => {
    if (!onread.callback(bytes.length, bytes)) connection.pause();
  });
}

function takesBuffers(handle: unknown): handle is { useUserBuffer(buffer: Uint8Array): void } {
  return typeof (handle as Partial<{ useUserBuffer: unknown }> | null)?.useUserBuffer === "function";
}
