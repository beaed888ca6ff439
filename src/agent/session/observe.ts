/** Looks over the shoulder of a session: everything it prints from now on, and nothing said to it. */

import type { ExitStatus, Packet } from "../../protocol/packet.ts";
import type { SessionIo } from "./io.ts";
import type { Session } from "./session.ts";

/** What an observer that does not keep up has waiting, in bytes; beyond, the oldest is dropped and the gap is told. */
const MAX_WAITING = 1_048_576;

/** Ends with the session that is observed, or when the observer leaves; neither is the observed one's business. */
export async function serveObserver(io: SessionIo, observed: Session): Promise<ExitStatus> {
  const backlog = new Backlog();
  const stop = () => backlog.close();
  const leave = observed.observe((packet) => backlog.push(packet));
  io.signal.addEventListener("abort", stop, { once: true });
  void observed.worked.then(stop);
  io.accept({ tty: observed.tty });
  try {
    for await (const packet of backlog.packets()) await io.send(packet);
    return { unknown: "the observed session has ended" };
  } finally {
    leave();
    io.signal.removeEventListener("abort", stop);
  }
}

class Backlog {
  readonly #waiting: Packet[] = [];
  #bytes = 0;
  #dropped = 0;
  #closed = false;
  #wake: () => void = () => {};

  push(packet: Packet): void {
    this.#waiting.push("bytes" in packet ? { ...packet, bytes: packet.bytes.slice() } : packet);
    this.#bytes += sizeOf(packet);
    while (this.#bytes > MAX_WAITING) {
      const size = sizeOf(this.#waiting.shift());
      this.#bytes -= size;
      this.#dropped += size;
    }
    this.#wake();
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  async *packets(): AsyncGenerator<Packet, void, void> {
    for (;;) {
      if (this.#dropped > 0) {
        const gap = { bytes: this.#dropped, why: "the observer was too slow" };
        this.#dropped = 0;
        yield { type: "gap", gap };
      }
      const packet = this.#waiting.shift();
      if (packet) {
        this.#bytes -= sizeOf(packet);
        yield packet;
      } else if (this.#closed) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

function sizeOf(packet: Packet | undefined): number {
  return packet && "bytes" in packet ? packet.bytes.length : 0;
}
