/** A channel as a stream of bytes: one connection of any protocol, carried inside another connection. */

import { Duplex } from "node:stream";
import type { Subject } from "../auth/grant.ts";
import type { Channel } from "../mux/channel.ts";
import { CLOSE, type CloseInfo } from "../mux/errors.ts";
import { HEADER_BYTES } from "../mux/frame.ts";
import { FairleadError, Problem } from "../protocol/errors.ts";

/** Of one message. */
const MAX_PIECE = 65_536;
const BROKEN_OFF = "The other end broke the connection off.";

/**
 * Back-pressure both ways by the channel's credit. There is no half-close: an end is the end of both ways. Make it in the
 * tick in which the channel was opened, or accepted.
 */
export class ChannelStream extends Duplex {
  /** Bytes that were written to it, and read from it. */
  readonly carried = { in: 0, out: 0 };
  readonly #channel: Channel;
  /** Read, and not yet asked for. */
  readonly #waiting: Uint8Array[] = [];
  #wanted = false;
  #ended = false;
  /** Of the write under way: what has not left, and what to call when all has. */
  #rest: Uint8Array = new Uint8Array(0);
  #written: (() => void) | undefined;

  constructor(channel: Channel) {
    super({ allowHalfOpen: false });
    this.#channel = channel;
    // It may break before anybody uses it, and between two who do: nobody hears it then, and it must not end the program.
    this.on("error", () => {});
    channel.start({
      message: (bytes) => this.#take(bytes),
      credit: () => this.#send(),
      ack() {},
      reply: (bytes) => this.#refuse(bytes),
      close: (info) => this.#end(info),
    });
  }

  /** What the HTTP server asks of a socket: the connection outside has a limit of its own. */
  setTimeout(): this {
    return this;
  }

  override _read(): void {
    this.#wanted = true;
    this.#deliver();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    this.carried.in += chunk.length;
    this.moved();
    this.#rest = chunk;
    this.#written = done;
    this.#send();
  }

  override _final(done: () => void): void {
    this.#channel.close(CLOSE.normal, "the end");
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Whoever reads it must not take for complete what is not.
    const isBroken = error !== null || this.writableLength > 0;
    this.#channel.close(isBroken ? CLOSE.internal : CLOSE.normal, isBroken ? BROKEN_OFF : "done");
    done(error);
  }

  /** Bytes came or went. */
  protected moved(): void {}

  /** Why it ended before its end. */
  protected lost({ code, reason }: CloseInfo): Error {
    return new FairleadError("unreachable", reason || `closed with code ${code}`);
  }

  #send(): void {
    while (this.#rest.length > 0 && this.#channel.credit > 0) {
      const piece = this.#rest.subarray(0, MAX_PIECE);
      const frame = new Uint8Array(HEADER_BYTES + piece.length);
      frame.set(piece, HEADER_BYTES);
      this.#channel.post(frame);
      this.#rest = this.#rest.subarray(piece.length);
    }
    if (this.#rest.length > 0 && this.#channel.open) return;
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  #take(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    if (this.#wanted) this.#deliver();
  }

  #deliver(): void {
    while (this.#wanted) {
      const bytes = this.#waiting.shift();
      if (!bytes) break;
      this.carried.out += bytes.length;
      this.moved();
      this.#wanted = this.push(bytes);
      this.#channel.consumed(bytes.length);
    }
    if (this.#ended && this.#waiting.length === 0) this.push(null);
  }

  #refuse(bytes: Uint8Array): void {
    const problem = Problem.safeParse(parse(bytes));
    if (problem.success) this.destroy(FairleadError.from(problem.data));
  }

  #end({ code, reason }: CloseInfo): void {
    this.#send();
    if (code !== CLOSE.normal) return void this.destroy(this.lost({ code, reason }));
    this.#ended = true;
    if (this.#wanted) this.#deliver();
  }
}

/** A connection that came through the server: whoever uses it was recognised there, and a signed grant says who it is. */
export class VouchedStream extends ChannelStream {
  readonly subject: Subject;
  /** Nobody listens on the way inside. */
  readonly encrypted = true;
  readonly remoteAddress = "server";
  readonly remotePort: number;

  constructor(channel: Channel, subject: Subject) {
    super(channel);
    this.subject = subject;
    this.remotePort = channel.id;
  }
}

/** Each way as fast as its reader reads, until one of them has ended; one that breaks off breaks the other off. */
export function joinStreams(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.pipe(to);
    from.on("error", () => {});
    // After its end the other one may still have to write what it was given.
    const over = () => (from.readableEnded ? to.end(() => to.destroy()) : to.destroy(new Error(BROKEN_OFF)));
    if (from.closed) over();
    else from.once("close", over);
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
