/** Breaking a connection off, so that the other side hears of it. */

import { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Whatever was still to be sent is dropped; the other side gets an RST. What knows no reset is destroyed. */
export function reset(stream: Duplex & { resetAndDestroy?(): unknown }): void {
  if (!stream.resetAndDestroy) return void stream.destroy();
  // libuv refuses (EINVAL) while a FIN is on its way, and Node then never closes the socket. The FIN leaves within a turn.
  const leaving = stream.writableEnded && !stream.writableFinished && stream.writableLength === 0;
  if (leaving && stream instanceof Socket) return void stream.once("finish", () => reset(stream));
  try {
    stream.resetAndDestroy();
  } catch {
    // Node's sockets throw where there is no TCP below them.
    stream.destroy();
  }
}
