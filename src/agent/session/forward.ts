/** A forward or a proxied port, and each TCP connection of a forward. */

import type { Duplex } from "node:stream";
import { FairleadError } from "../../protocol/errors.ts";
import type { ExitStatus } from "../../protocol/packet.ts";
import { writeOut } from "../../lib/room.ts";
import { aborted } from "../../lib/wait.ts";
import { toFairleadError } from "./failure.ts";
import type { Connection } from "../runtime/runtime.ts";
import type { SessionIo } from "./io.ts";

/** Waits: its connections go their own ways. */
export async function serveForward(io: SessionIo): Promise<ExitStatus> {
  io.accept();
  await aborted(io.signal);
  return { code: 0 };
}

/** Bytes both ways until both ends are done; a reset on one side is a reset on the other. */
export async function serveConnection(io: SessionIo, connect: () => Promise<Connection>): Promise<ExitStatus> {
  const connection = await connect();
  const { socket, bytes } = connection;
  // Not an end: the service would take half of something for all of it.
  const cut = () => connection.reset();
  io.signal.addEventListener("abort", cut, { once: true });
  if (io.signal.aborted) cut();
  io.accept();
  let wasReset = false;
  const inward = pumpIn(io, connection).then((broken) => {
    wasReset = broken;
  });
  inward.catch((error: unknown) => io.end(toFairleadError(error)));
  try {
    const cleanly = await pumpOut(io, bytes);
    if (cleanly && !io.signal.aborted) await closed(socket);
    // A service that has ended and gone resets what is still said to it.
    if (!wasReset && (!cleanly || socket.errored)) await io.send({ type: "reset" });
    return { code: 0 };
  } finally {
    io.signal.removeEventListener("abort", cut);
    socket.destroy();
  }
}

/** From the container to the client. False when the connection was reset. */
async function pumpOut(io: SessionIo, all: Connection["bytes"]): Promise<boolean> {
  try {
    for await (const bytes of all) await io.send({ type: "stdout", bytes });
  } catch {
    return false;
  }
  await io.send({ type: "end" });
  return true;
}

/** From the client to the container; a reset is heard after its end too. True when the client reset it. */
async function pumpIn(io: SessionIo, connection: Connection): Promise<boolean> {
  for await (const packet of io.packets()) {
    if (packet.type === "stdin") {
      await writeOut(connection.socket, packet.bytes);
      io.recycle(packet.bytes);
    } else if (packet.type === "end") connection.socket.end();
    else if (packet.type === "reset") {
      connection.reset();
      return true;
    } else throw new FairleadError("protocol-error", `A client may not send ${packet.type} to a connection.`);
  }
  return false;
}

function closed(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) return resolve();
    socket.once("close", () => resolve());
  });
}
