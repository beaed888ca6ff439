/** One TCP connection to a container at the other end of a WebSocket. */

import { wait } from "../../lib/wait.ts";
import { CLOSE } from "../../mux/errors.ts";
import { ERRORS, FairleadError } from "../../protocol/errors.ts";
import type { DirectSession } from "../../client/direct.ts";
import type { Framing } from "./framing.ts";
import { asFairleadError } from "./problems.ts";
import type { SessionSocket } from "./session-socket.ts";

/** How long a container may take to read what a client that has left had sent, in milliseconds. */
const LINGER_MS = 30_000;
const RESET = "the container reset the connection";

export interface Connection {
  socket: SessionSocket;
  session: DirectSession;
  framing: Framing;
}

/**
 * Until the container has ended the connection, or the client has left and the container has what it sent. The
 * container's end closes the WebSocket with 1000, anything else with another code. Never rejects.
 */
export async function serveConnection(connection: Connection): Promise<void> {
  const { socket, session, framing } = connection;
  const over = new AbortController();
  void pumpIn(connection, over.signal).catch(() => session.close());
  try {
    for (const message of framing.greeting) await socket.send(message);
    await pumpOut(connection);
    socket.close(CLOSE.normal, "");
  } catch (error) {
    const { code, message } = asFairleadError(error);
    const { close, title } = ERRORS[code];
    await fail(connection, { code: close, reason: title, words: message });
  } finally {
    over.abort();
    session.close();
  }
}

/** From the container to the client, for as long as there is one: what it said last is still under way when it has left. */
async function pumpOut(connection: Connection): Promise<void> {
  const { socket, session, framing } = connection;
  for await (const packet of session.packets()) {
    if (packet.type === "reset") await fail(connection, { code: CLOSE.internal, reason: RESET, words: RESET });
    else if (packet.type === "end") socket.close(CLOSE.normal, "");
    else if (packet.type === "stdout" && socket.open) await socket.send(framing.wrap(packet.bytes)).catch(() => {});
  }
}

/** From the client to the container: all that it sends, then its end; a reset when it broke off, or broke the protocol. */
async function pumpIn({ socket, session, framing }: Connection, over: AbortSignal): Promise<void> {
  let ended = false;
  let clean = true;
  try {
    for await (const message of socket.messages()) {
      const said: Uint8Array | "end" | undefined = ended ? undefined : framing.unwrap(message);
      ended ||= said === "end";
      if (said) await session.send(said === "end" ? { type: "end" } : { type: "stdin", bytes: said });
    }
    clean = (await socket.closed) !== CLOSE.cut;
  } catch (error) {
    if (!(error instanceof FairleadError && error.code === "protocol-error")) throw error;
    socket.close(ERRORS[error.code].close, error.message);
    clean = false;
  }
  if (!ended) await session.send({ type: clean ? "end" : "reset" });
  if (clean || !ended) await wait(LINGER_MS, over);
  session.close();
}

interface Failure {
  code: number;
  reason: string;
  words: string;
}

async function fail({ socket, framing }: Connection, { code, reason, words }: Failure): Promise<void> {
  const last = framing.broken(words);
  if (last && socket.open) await socket.send(last).catch(() => {});
  socket.close(code, reason);
}
