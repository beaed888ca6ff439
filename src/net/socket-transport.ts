/** A WebSocket of Node's as a transport. */

import type { OnReadOpts } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { WebSocket } from "ws";
import type { CloseInfo } from "../mux/errors.ts";
import { hold, isPooled } from "../mux/frame-pool.ts";
import { closeReason, type Transport, type TransportEvents } from "../mux/transport.ts";
import { framed, type Side } from "./binary-frame.ts";
import { readInto } from "./own-reads.ts";
import { Sieve } from "./sieve.ts";

/** A peer that does not answer our goodbye is cut after this. */
const CLOSE_TIMEOUT_MS = 3_000;
/** Bytes to write ahead with TLS, which copies together what waits: one frame is encrypted while the kernel sends the last. */
const SECURE_AHEAD = 65_536;
/** Memory for shorter messages, in bytes, is cut from a page of Node's. */
const MIN_BLANK = 4_096;
/** All connections are read into this one in turn: what a read brings is dealt with before the next. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);
/** A message of which so many bytes are missing is read into its own memory, to its end; fewer are copied as fast. */
const IN_PLACE = 32_768;
/** Another long message probably follows such a one: little is read of it, so that the rest can go into its place. */
const SMALL_READ_BUFFER = READ_BUFFER.subarray(0, 16_384);
/** A text is no frame: an empty one is refused by the decoder. */
const NOTHING = new Uint8Array(0);

interface Ends {
  socket: WebSocket;
  /** What carries it. */
  wire: Duplex;
  /** Who is at the other end. */
  peer: Side;
  /** What this side says has to be masked. */
  masks?: boolean;
}

/**
 * To be called before it opens, or in that very tick: messages before `start` are kept. What one turn of the event loop says
 * leaves in one write. Whole binary messages are read past the library, where it is a socket of Node's that carries them:
 * that saves half of what receiving costs.
 */
export class SocketTransport implements Transport {
  readonly writeAhead?: number;
  readonly #socket: WebSocket;
  readonly #wire: Duplex;
  /** As whom this side frames messages past the library, where it may. */
  readonly #own: Side | undefined;
  readonly #early: Uint8Array[] = [];
  #events: TransportEvents | undefined;
  #ended: CloseInfo | undefined;
  #corked = false;
  #closeTimer: NodeJS.Timeout | undefined;
  /** The library has refused what came: nothing behind it counts. */
  #broken = false;

  constructor({ socket, wire, peer, masks }: Ends) {
    this.#socket = socket;
    this.#wire = wire;
    if (!masks) this.#own = peer === "client" ? "server" : "client";
    if (wire instanceof TLSSocket) this.writeAhead = SECURE_AHEAD;
    socket.on("message", (data, isBinary) => this.#deliver(isBinary ? (data as Buffer) : NOTHING));
    socket.on("error", () => {
      this.#broken = true;
    });
    socket.once("close", (code, reason) => this.#end({ code, reason: String(reason) }));
    this.#readPast(peer);
  }

  get buffered(): number {
    return this.#socket.bufferedAmount;
  }

  start(events: TransportEvents): void {
    this.#events = events;
    for (const bytes of this.#early.splice(0)) events.message(bytes);
    if (this.#ended) events.close(this.#ended);
  }

  send(frame: Uint8Array): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (isPooled(frame)) return this.#sendPooled(frame);
    this.#cork();
    this.#socket.send(frame, this.#left);
  }

  rest(): void {
    this.#socket.pause();
    setImmediate(() => this.#socket.resume());
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, closeReason(reason));
    // Whoever says goodbye may end the process before anything later happens.
    this.#uncork();
    if (!this.#ended) this.#closeTimer ??= setTimeout(() => this.#socket.terminate(), CLOSE_TIMEOUT_MS);
  }

  #sendPooled(frame: Uint8Array): void {
    const release = hold(frame);
    const left = () => {
      release();
      this.#left();
    };
    if (this.#own) {
      this.#uncork();
      this.#wire.write(framed(frame, this.#own), left);
    } else {
      this.#cork();
      this.#socket.send(frame, left);
    }
  }

  readonly #left = () => this.#events?.drain();

  /** Held back until everything that follows from what happens now has been said: `nextTick` waits for the microtasks. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#wire.cork();
    process.nextTick(() => this.#uncork());
  }

  #uncork(): void {
    if (!this.#corked) return;
    this.#corked = false;
    this.#wire.uncork();
  }

  #readPast(peer: Side): void {
    const wire = this.#wire;
    const sieve = new Sieve(peer, {
      blank: (length) => this.#blank(length),
      message: (bytes) => this.#deliver(bytes),
      // The library hears them as if they had come to it.
      other: (bytes) => void wire.emit("data", Buffer.from(bytes)),
    });
    if (!readInto(wire, readingFor(sieve))) return;
    const first = unheard(wire);
    if (first) sieve.take(first);
  }

  #blank(length: number): Uint8Array {
    return (length >= MIN_BLANK && this.#events?.blank?.(length, unfilled)) || Buffer.allocUnsafe(length);
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#broken) return;
    if (this.#events) this.#events.message(bytes);
    else this.#early.push(bytes);
  }

  #end(info: CloseInfo): void {
    clearTimeout(this.#closeTimer);
    this.#ended = info;
    this.#events?.close(info);
  }
}

/** Chooses where each read goes: into the shared buffer, or into the message's own memory. */
function readingFor(sieve: Sieve): OnReadOpts {
  let inPlace = false;
  return {
    buffer: () => {
      const { gap } = sieve;
      const other = inPlace ? SMALL_READ_BUFFER : READ_BUFFER;
      inPlace = gap.length >= (inPlace ? 1 : IN_PLACE);
      return inPlace ? gap : other;
    },
    callback: (size, bytes) => {
      if (inPlace) sieve.filled(size);
      else sieve.take(bytes.subarray(0, size));
      return true;
    },
  };
}

/** Not zeroed. */
function unfilled(size: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(size).buffer;
}

/** What came with the handshake, taken before whoever listens has heard it. */
function unheard(wire: Duplex): Buffer | undefined {
  if (wire.readableLength === 0) return undefined;
  const listeners = wire.listeners("data") as ((bytes: Buffer) => void)[];
  for (const listener of listeners) wire.off("data", listener);
  const bytes = wire.read(wire.readableLength) as Buffer | null;
  for (const listener of listeners) wire.on("data", listener);
  return bytes ?? undefined;
}
