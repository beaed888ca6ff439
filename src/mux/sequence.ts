/** A packet sequence in each direction that outlives the channel under it: nothing lost, nothing twice, nothing dropped for want of room. */

import type { Budget } from "./budget.ts";
import type { Channel } from "./channel.ts";
import { CLOSE, type CloseInfo, violation } from "./errors.ts";
import type { GoAway } from "./frame.ts";
import type { FramePool } from "./frame-pool.ts";
import { Replay } from "./replay.ts";

export interface ReceivedPacket {
  tag: number;
  payload: Uint8Array;
}

export interface SequenceOptions {
  budget: Budget;
  /** The channel under it ended: the sequence waits for another one. */
  detached?: (info: CloseInfo) => void;
}

/** An acknowledgement waits this long for more to acknowledge, in milliseconds. */
const ACK_DELAY_MS = 10;
/** ... but not for more bytes than this: the other side's replay may be small ... */
const ACK_BYTES = 16_384;
/** ... unless its pieces are larger than so many times that: it holds four of them then (`replay.ts`), as many wait. */
const ACK_PIECES = 4;

interface Held {
  message: Uint8Array;
  channel: Channel;
}

/**
 * One end of a session's conversation. A packet is a tag byte and a payload; offsets count both, so a
 * position is exact whatever the packet was. What is sent stays in the replay until the other end
 * acknowledges that it has *consumed* it; a full replay stalls the sender.
 */
export class Sequence {
  readonly #replay: Replay;
  readonly #frames: FramePool;
  readonly #detached: ((info: CloseInfo) => void) | undefined;
  #channel: Channel | undefined;
  /** Arrived and not yet asked for. */
  readonly #inbox: Held[] = [];
  #received = 0;
  #consumed = 0;
  #acked = 0;
  #ackTimer: ReturnType<typeof setTimeout> | undefined;
  #error: Error | undefined;
  #finished = false;
  #closed = false;
  #wakeReader: (() => void) | undefined;
  readonly #waiting: (() => void)[] = [];
  /** A packet waits for room, and the last of those that wait behind it. */
  #stuck = false;
  #last: Promise<void> | undefined;

  constructor(options: SequenceOptions) {
    this.#replay = new Replay(options.budget);
    this.#frames = options.budget.frames;
    this.#detached = options.detached;
  }

  /** Offset up to which this end has the other's packets; what a resume tells. */
  get received(): number {
    return this.#received;
  }

  get attached(): boolean {
    return this.#channel !== undefined;
  }

  /**
   * Goes on over this channel from where the other end is (`peerReceived`, 0 at first). Call it in the tick in
   * which the channel was opened, accepted or answered. Throws a violation when this end cannot continue from there.
   */
  attach(
    channel: Channel,
    peerReceived: number,
    words: { reply?: Uint8Array; onReply?: (bytes: Uint8Array) => void; onFarewell?: (words: GoAway) => void } = {},
  ): void {
    this.#replay.rewind(peerReceived);
    // The other end listens for packets only once it has the answer.
    if (words.reply) channel.reply(words.reply);
    const previous = this.#channel;
    this.#channel = channel;
    previous?.close(CLOSE.normal, "resumed on another connection");
    channel.start({
      message: (bytes) => this.#receive(channel, bytes),
      credit: () => this.#resume(),
      left: (bytes) => {
        if (this.#channel === channel) this.#replay.handedOver(bytes);
      },
      ack: (offset) => this.#release(offset),
      reply: words.onReply ?? (() => {}),
      ...(words.onFarewell && { farewell: words.onFarewell }),
      close: (info) => this.#lose(channel, info),
    });
    this.#resume();
  }

  /** Queues a packet, in pieces if it is long; resolves when there is room for more. The payload is copied; calls keep their order. */
  send(tag: number, payload: Uint8Array): Promise<void> {
    const sent = this.#last ? this.#last.then(() => this.#push(tag, payload)) : this.#push(tag, payload);
    if (!this.#last && !this.#stuck) return sent;
    const last = sent.then(ignore, ignore).then(() => {
      if (this.#last === last) this.#last = undefined;
    });
    this.#last = last;
    return sent;
  }

  /** Senders are refused from now on, those that wait for room too; only `finish` may follow. */
  stopSending(error: Error): void {
    this.#error ??= error;
    this.#finished = true;
    this.#wakeSenders();
  }

  /** Queues the last packet, room or not. */
  finish(tag: number, payload: Uint8Array): void {
    if (this.#closed) return;
    this.#finished = true;
    this.#replay.push(tag, payload);
    this.#wakeSenders();
    this.#post();
  }

  /** Queues a packet of which only the newest matters: an older one of its tag and length that has not left is replaced. */
  async sendLatest(tag: number, payload: Uint8Array): Promise<void> {
    if (this.#replay.replaceUnsent(tag, payload)) return;
    await this.send(tag, payload);
  }

  /** The other end's packets, once each and in order. Asking for the next one says that this one is consumed. */
  async *receive(): AsyncGenerator<ReceivedPacket, void, void> {
    for (;;) {
      const held = this.#inbox.shift();
      if (held) {
        yield { tag: held.message[0] ?? 0, payload: held.message.subarray(1) };
        this.#consume(held);
      } else if (this.#closed) {
        if (this.#error) throw this.#error;
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve;
        });
      }
    }
  }

  /** Nobody looks at this payload any more, of a packet that was received: its memory may be used for another one. For bulk. */
  recycle(payload: Uint8Array): void {
    this.#frames.recycle(payload);
  }

  /** Resolves when the other end acknowledged everything, or the sequence ended. */
  async settled(): Promise<void> {
    while (!this.#closed && this.#replay.held > 0) await this.#room();
  }

  /** Tells now, without waiting for more, how far this end has come. */
  acknowledge(): void {
    clearTimeout(this.#ackTimer);
    this.#ackTimer = undefined;
    if (this.#acked === this.#consumed || !this.#channel) return;
    this.#acked = this.#consumed;
    this.#channel.ack(this.#consumed);
  }

  /** Ends it: senders reject, the reader gets what has arrived and then the error, if any. Idempotent. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error ??= error;
    this.acknowledge();
    this.#replay.clear();
    this.#wakeSenders();
    this.#wakeReader?.();
  }

  /** At once as far as there is room. */
  async #push(tag: number, payload: Uint8Array): Promise<void> {
    let at = 0;
    do {
      while (!this.#refusing && !this.#replay.hasRoom(payload.length - at, this.#channel?.credit ?? 0)) {
        this.#stuck = true;
        await this.#room();
      }
      this.#stuck = false;
      if (this.#refusing) throw this.#error ?? violation("the session has ended");
      const piece = payload.subarray(at, at + this.#replay.pieceBytes);
      this.#replay.push(tag, piece);
      at += piece.length;
      this.#post();
    } while (at < payload.length);
  }

  get #refusing(): boolean {
    return this.#closed || this.#finished;
  }

  #receive(channel: Channel, message: Uint8Array): void {
    if (channel !== this.#channel || this.#closed) return;
    this.#received += message.length;
    this.#inbox.push({ message, channel });
    this.#wakeReader?.();
  }

  #consume({ message, channel }: Held): void {
    this.#consumed += message.length;
    const told = channel.consumed(message.length);
    const due = message.length > ACK_PIECES * ACK_BYTES ? ACK_PIECES * message.length : ACK_BYTES;
    // Beside a CREDIT it costs no write of its own.
    if (told || this.#consumed - this.#acked >= due) this.acknowledge();
    else this.#ackTimer ??= setTimeout(() => this.acknowledge(), ACK_DELAY_MS);
  }

  #post(): void {
    while (this.#channel && this.#channel.credit > 0) {
      const frame = this.#replay.next();
      if (!frame) return;
      this.#channel.post(frame);
    }
  }

  /** There is credit again: what is kept may leave, and what waits may be kept. */
  #resume(): void {
    this.#post();
    this.#wakeSenders();
  }

  #release(offset: number): void {
    this.#replay.release(offset);
    this.#wakeSenders();
  }

  #lose(channel: Channel, info: CloseInfo): void {
    if (channel !== this.#channel) return;
    this.#channel = undefined;
    if (!this.#closed) this.#detached?.(info);
  }

  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wakeSenders(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

function ignore(): void {}
