/** One connection over a channel, at either end: as much of a socket as those use who are given one. */

import { Duplex } from "node:stream";
import type { Channel } from "../../../../mux/channel.ts";
import { CLOSE, type CloseInfo } from "../../../../mux/errors.ts";
import { HEADER_BYTES } from "../../../../mux/frame.ts";
import { CODE, TAG } from "./message.ts";

/** Bytes in one message at most, so that connections take turns. */
const PIECE = 65_536;

interface Unsent {
  tag: number;
  bytes: Uint8Array;
  done: (error?: Error) => void;
}

/**
 * Ends each direction alone. What its reader does not take stays unacknowledged, so that the other end stops; what the
 * other end does not take stays with the writer. `destroy` lets go of it as closing a socket does: what was written still
 * arrives, and the other end emits `abandoned`. `resetAndDestroy` is a reset over there.
 */
export class GuestStream extends Duplex {
  /** As which the container was reached. */
  readonly remoteAddress: string;
  bytesRead = 0;
  bytesWritten = 0;
  /** Milliseconds, as `setTimeout` was told. */
  timeout = 0;
  readonly #channel: Channel;
  readonly #arrived: Uint8Array[] = [];
  #wanted = false;
  #unsent: Unsent | undefined;
  #idle: NodeJS.Timeout | undefined;
  #closing: number = CLOSE.normal;
  /** The other end has let go of it: what it sent before is still to be read, what is written is dropped. */
  #abandoned = false;

  constructor(channel: Channel, remoteAddress = "") {
    super();
    this.remoteAddress = remoteAddress;
    this.#channel = channel;
    // Nobody may be listening yet when it breaks.
    this.on("error", () => {});
    channel.start({
      message: (bytes) => this.#arrive(bytes),
      credit: () => this.#send(),
      ack: () => {},
      reply: () => {},
      close: (info) => this.#closed(info),
    });
  }

  override _read(): void {
    this.#wanted = true;
    this.#deliver();
  }

  override _write(bytes: Uint8Array, _encoding: string, done: (error?: Error) => void): void {
    this.#unsent = { tag: TAG.bytes, bytes, done };
    this.#send();
  }

  override _final(done: (error?: Error) => void): void {
    this.#unsent = { tag: TAG.end, bytes: new Uint8Array(0), done };
    this.#send();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#arrived.length = 0;
    this.#channel.close(this.#closing, "");
    this.#unsent?.done(error ?? broken("the connection was closed"));
    this.#unsent = undefined;
    done(error);
  }

  resetAndDestroy(): this {
    this.#closing = CODE.reset;
    return this.destroy();
  }

  /** Once what was written has left. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Emits `timeout` whenever nothing has moved for so many milliseconds; 0 for never. */
  setTimeout(ms: number, heard?: () => void): this {
    clearTimeout(this.#idle);
    this.timeout = ms;
    this.#idle = ms > 0 ? setTimeout(() => this.emit("timeout"), ms).unref() : undefined;
    if (heard && ms > 0) this.once("timeout", heard);
    else if (heard) this.off("timeout", heard);
    return this;
  }

  /** Small pieces never wait here. */
  setNoDelay(): this {
    return this;
  }

  /** The connection below is watched as a whole. */
  setKeepAlive(): this {
    return this;
  }

  /** It does not keep the program alive, nor let it end: the connection below does that. */
  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  #arrive(message: Uint8Array): void {
    if (this.destroyed) return;
    this.#idle?.refresh();
    this.#arrived.push(message);
    this.#deliver();
  }

  #deliver(): void {
    while (this.#wanted) {
      const message = this.#arrived.shift();
      if (!message) break;
      this.#channel.consumed(message.length);
      this.bytesRead += message.length - 1;
      this.#wanted = message[0] === TAG.bytes ? this.push(message.subarray(1)) : this.push(null);
    }
    if (this.#abandoned && this.#wanted && !this.readableEnded) this.push(null);
  }

  #send(): void {
    while (this.#unsent && (this.#channel.credit > 0 || this.#abandoned)) {
      const { tag, bytes, done } = this.#unsent;
      const piece = bytes.subarray(0, PIECE);
      this.#post(tag, piece);
      this.#unsent = piece.length < bytes.length ? { tag, bytes: bytes.subarray(PIECE), done } : undefined;
      if (!this.#unsent) done();
    }
  }

  #post(tag: number, piece: Uint8Array): void {
    const frame = new Uint8Array(HEADER_BYTES + 1 + piece.length);
    frame[HEADER_BYTES] = tag;
    frame.set(piece, HEADER_BYTES + 1);
    this.#idle?.refresh();
    this.bytesWritten += piece.length;
    this.#channel.post(frame);
  }

  #closed({ code, reason }: CloseInfo): void {
    if (this.destroyed) return;
    if (code !== CLOSE.normal) return void this.destroy(broken(code === CODE.reset ? "read ECONNRESET" : reason));
    this.#abandoned = true;
    this.#deliver();
    this.#send();
    this.emit("abandoned");
  }
}

function broken(words: string): Error {
  return Object.assign(new Error(words), { code: "ECONNRESET" });
}
