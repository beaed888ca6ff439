/** Started inside a container's network: connects there and hands the connected sockets to the agent. A program of its own. */

import { connect, type Socket } from "node:net";
import process from "node:process";
import type { DialAnswer, DialRequest } from "./dial-message.ts";

/** Nothing is read here: the first bytes belong to the agent. */
function open(host: string, { port, timeout }: DialRequest): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
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

/** A refusal says more than "no such address here". */
async function answer(request: DialRequest): Promise<void> {
  let code = "";
  for (const host of request.hosts) {
    try {
      return reply({ id: request.id }, await open(host, request));
    } catch (error) {
      const failed = (error as { code?: string }).code ?? "EIO";
      code = code === "ECONNREFUSED" ? code : failed;
    }
  }
  reply({ id: request.id, code });
}

function reply(message: DialAnswer, socket?: Socket): void {
  if (process.connected) process.send?.(message, socket, { keepOpen: false }, () => {});
}

process.on("message", (request: DialRequest) => void answer(request));
// The agent lets go of an idle helper, and the channel also ends with the agent itself.
process.on("disconnect", () => process.exit());
