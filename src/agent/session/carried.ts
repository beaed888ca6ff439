/** The TCP connections of proxied ports: the door reads and writes them itself, here they are counted and ended. */

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Moved, Session } from "./session.ts";

export class Carried {
  readonly #open = new Map<Session, Set<Duplex>>();
  /** Of each session with connections: the bytes that they had moved when it was last looked at. */
  readonly #moved = new Map<Session, number>();

  /** Whose each is that is being dialled: it has its place already. */
  readonly #dialling = new Map<symbol, Session>();

  /** Of all sessions together. */
  get size(): number {
    return [...this.#open.values()].reduce((sum, { size }) => sum + size, this.#dialling.size);
  }

  of(session: Session): number {
    const dialling = [...this.#dialling.values()].filter((its) => its === session);
    return dialling.length + (this.#open.get(session)?.size ?? 0);
  }

  /** What the open ones of this session have moved. */
  moved(session: Session): Omit<Moved, "connections"> {
    return [...(this.#open.get(session) ?? [])]
      .map(bytesOf)
      .reduce(
        ({ bytesIn, bytesOut }, { read, written }) => ({ bytesIn: bytesIn + written, bytesOut: bytesOut + read }),
        { bytesIn: 0, bytesOut: 0 },
      );
  }

  /** The connection ends with its session; what it moved counts for that. Rejects as `dial` does. */
  async add(session: Session, dial: () => Promise<Duplex>): Promise<Duplex> {
    const place = Symbol(session.id);
    this.#dialling.set(place, session);
    try {
      const socket = await dial();
      this.#add(session, socket);
      return socket;
    } finally {
      this.#dialling.delete(place);
    }
  }

  /** Sessions whose connections moved something since the last look are not idle. */
  look(): void {
    for (const [session, sockets] of this.#open) {
      const moved = [...sockets].map(bytesOf).reduce((sum, { read, written }) => sum + read + written, 0);
      if (moved !== this.#moved.get(session)) session.lastActive = performance.now();
      this.#moved.set(session, moved);
    }
  }

  #add(session: Session, socket: Duplex): void {
    const own = this.#open.get(session) ?? new Set();
    this.#open.set(session, own.add(socket));
    session.connections += 1;
    session.lastActive = performance.now();
    const cut = () => {
      // What it carried is told with the session's end, which does not wait for it.
      this.#remove(session, socket);
      socket.destroy();
    };
    session.signal.addEventListener("abort", cut, { once: true });
    socket.once("close", () => {
      session.signal.removeEventListener("abort", cut);
      this.#remove(session, socket);
    });
    if (session.signal.aborted) cut();
  }

  #remove(session: Session, socket: Duplex): void {
    const own = this.#open.get(session);
    if (!own?.delete(socket)) return;
    const { read, written } = bytesOf(socket);
    session.bytesIn += written;
    session.bytesOut += read;
    session.lastActive = performance.now();
    if (own.size > 0) return;
    this.#open.delete(session);
    this.#moved.delete(session);
  }
}

function bytesOf(socket: Duplex & Partial<Pick<Socket, "bytesRead" | "bytesWritten">>): {
  read: number;
  written: number;
} {
  return { read: socket.bytesRead ?? 0, written: socket.bytesWritten ?? 0 };
}
