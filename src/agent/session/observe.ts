/** Looks over the shoulder of a session: everything it prints from now on, and nothing said to it. */

import { Backlog, type Piece } from "../../lib/backlog.ts";
import type { ExitStatus, Packet } from "../../protocol/packet.ts";
import type { SessionIo } from "./io.ts";
import type { Session } from "./session.ts";

/** What an observer that does not keep up has waiting, in bytes; beyond, the oldest is dropped and the gap is told. */
const MAX_WAITING = 1_048_576;
const SLOW = "the observer was too slow";
const NOTHING = new Uint8Array(0);

/** What the observed session said; its bytes are a copy. */
interface Overheard extends Piece {
  packet: Packet;
}

/** Ends with the session that is observed, or when the observer leaves; neither is the observed one's business. */
export async function serveObserver(io: SessionIo, observed: Session): Promise<ExitStatus> {
  const backlog = new Backlog<Overheard>(MAX_WAITING);
  const stop = () => backlog.end();
  const leave = observed.observe((packet) => backlog.add(overheard(packet)));
  io.signal.addEventListener("abort", stop, { once: true });
  void observed.worked.then(stop);
  io.accept({ tty: observed.tty });
  try {
    for await (const { packet, dropped } of backlog) {
      if (dropped) await io.send({ type: "gap", gap: { bytes: dropped, why: SLOW } });
      await io.send(packet);
    }
    return { unknown: "the observed session has ended" };
  } finally {
    leave();
    io.signal.removeEventListener("abort", stop);
  }
}

function overheard(packet: Packet): Overheard {
  if (!("bytes" in packet)) return { packet, bytes: NOTHING };
  const bytes = packet.bytes.slice();
  return { packet: { ...packet, bytes }, bytes };
}
