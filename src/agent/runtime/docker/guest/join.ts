/** A connection of the agent's and the service that it leads to, as one. */

import type { Socket } from "node:net";
import { reset } from "../../../../net/reset.ts";
import type { GuestStream } from "./stream.ts";

/** Milliseconds for which a service may take nothing of what was sent to it by an agent that has let go since. */
const LINGER = 30_000;

/** Each direction ends alone, and a reset on one side is a reset on the other. */
export function join(stream: GuestStream, socket: Socket): void {
  stream.pipe(socket).pipe(stream);
  socket.on("error", () => reset(stream));
  stream.on("error", () => reset(socket));
  // What the agent sent before it let go is still delivered; what the service says after that reaches nobody.
  stream.on("abandoned", () => {
    if (socket.writableFinished) socket.destroy();
    else socket.once("finish", () => socket.destroy()).setTimeout(LINGER, () => socket.destroy());
  });
}
