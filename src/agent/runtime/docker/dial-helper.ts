/** Started inside a container's network: connects there and hands the connected sockets to the agent. A program of its own. */

import type { Socket } from "node:net";
import process from "node:process";
import type { DialAnswer, DialRequest } from "./dial-message.ts";
import { connectInside, codeOf } from "./inside-connect.ts";

async function answer({ id, port, timeout }: DialRequest): Promise<void> {
  try {
    reply({ id }, await connectInside(port, { timeout }));
  } catch (error) {
    reply({ id, code: codeOf(error) });
  }
}

function reply(message: DialAnswer, socket?: Socket): void {
  if (process.connected) process.send?.(message, socket, { keepOpen: false }, () => {});
}

process.on("message", (request: DialRequest) => void answer(request));
// The agent lets go of an idle helper, and the channel also ends with the agent itself.
process.on("disconnect", () => process.exit());
