/** One flow-controlled conversation inside a connection: messages out within credit, messages in, acknowledgements, an end. */

import type { CloseInfo } from "./errors.ts";
import {
  encodeFrame,
  frameAround,
  type GoAway,
  HEADER_BYTES,
  INITIAL_WINDOW,
  MESSAGE_COST,
  stampData,
} from "./frame.ts";
import type { ReceiveWindow } from "./window.ts";

/** What a channel needs of its connection. */
export interface ChannelHost {
  /** The channel has something to send. */
  wake(channel: Channel): void;
  /** Both ends are done with it. */
  release(channel: Channel): void;
}

export interface ChannelEvents {
  /** Valid for as long as it is held; call `consumed` with its length when done with it. */
  message(bytes: Uint8Array): void;
  /** There is credit again. */
  credit(): void;
  /** A message of so many bytes was handed to the transport, which may still hold it. */
  left?(bytes: number): void;
  /** The other end acknowledged everything before this offset, end to end. */
  ack(offset: number): void;
  /** The acceptor's first word. */
  reply(bytes: Uint8Array): void;
  /** The other end, where it is not that of the connection, is about to leave. */
  farewell?(words: GoAway): void;
  /** Once, last. */
  close(info: CloseInfo): void;
}

/** What opened it; only the agent understands the body, a relay reads the header alone. */
export interface OpenRequest {
  header: Uint8Array;
  body: Uint8Array;
}

/** What is to be said when the writer comes by; each replaces an older one of its kind. */
interface Due {
  reply?: Uint8Array;
  credit?: number;
  ack?: number;
  farewell?: GoAway;
  close?: CloseInfo;
}

export class Channel {
  readonly id: number;
  readonly request: OpenRequest;
  readonly #host: ChannelHost;
  readonly #window: ReceiveWindow;
  #events: ChannelEvents | undefined;
  /** Came before `start`; the first credit bounds them. */
  #early: Uint8Array[] | undefined;
  #state: "open" | "closing" | "closed" = "open";
  readonly #outbox: Uint8Array[] = [];
  #sent = 0;
  #granted = INITIAL_WINDOW;
  #due: Due = {};
  /** Whether it waits in the writer's queue; the writer's business. */
  queued = false;

  constructor(id: number, request: OpenRequest, link: { host: ChannelHost; window: ReceiveWindow }) {
    this.id = id;
    this.request = request;
    this.#host = link.host;
    this.#window = link.window;
  }

  /**
   * Begins delivery, or hands it over, with the messages that came before the first call. Whoever opened the channel
   * calls it in the same tick; whoever accepts it may take time to make up his mind, and looks at `open` first.
   */
  start(events: ChannelEvents): void {
    const early = this.#early;
    this.#early = undefined;
    this.#events = events;
    if (early) for (const bytes of early) events.message(bytes);
  }

  get open(): boolean {
    return this.#state === "open";
  }

  /** Bytes of credit left. A message may begin while there is one; it may end beyond. */
  get credit(): number {
    return this.#state === "open" ? this.#granted - this.#sent : 0;
  }

  /** Queues a message that left {@link HEADER_BYTES} free in front of it. The caller looked at `credit`. */
  post(frame: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#sent += frame.length - HEADER_BYTES + MESSAGE_COST;
    this.#outbox.push(stampData(frame, this.id));
    this.#host.wake(this);
  }

  /** Queues a message that arrived on a channel of another connection, without a copy: it is no longer the caller's. */
  pass(message: Uint8Array): void {
    this.post(frameAround(message));
  }

  /** Done with a message of so many bytes: the other side may send as much more. True: it is told so now. */
  consumed(bytes: number): boolean {
    if (this.#state !== "open") return false;
    const credit = this.#window.consume(bytes + MESSAGE_COST);
    if (credit === undefined) return false;
    this.#due.credit = credit;
    this.#host.wake(this);
    return true;
  }

  /** End-to-end: everything before `offset` need not be kept any more. Only the newest matters. */
  ack(offset: number): void {
    if (this.#state !== "open") return;
    this.#due.ack = offset;
    this.#host.wake(this);
  }

  /** The acceptor's first word; once. */
  reply(bytes: Uint8Array): void {
    if (this.#state !== "open") return;
    this.#due.reply = bytes;
    this.#host.wake(this);
  }

  /** This end is about to leave; for a channel that a relay may have joined to another, on whose connection GO-AWAY is not heard. */
  farewell(words: GoAway): void {
    if (this.#state !== "open") return;
    this.#due.farewell = words;
    this.#host.wake(this);
  }

  /** Says goodbye after what is queued; nothing more is delivered. Idempotent. */
  close(code: number, reason: string): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#due.close = { code, reason };
    this.#window.close();
    this.#host.wake(this);
    this.#events?.close({ code, reason });
  }

  /** The next thing to put on the wire: words about the flow first, then messages, the goodbye last. */
  next(): Uint8Array | undefined {
    const channel = this.id;
    const { reply, credit, ack, farewell, close } = this.#due;
    if (reply) return this.#done("reply", { type: "reply", channel, message: reply });
    if (farewell) return this.#done("farewell", { type: "farewell", channel, goAway: farewell });
    if (credit !== undefined) return this.#done("credit", { type: "credit", channel, offset: credit });
    if (ack !== undefined) return this.#done("ack", { type: "ack", channel, offset: ack });
    const frame = this.#outbox.shift();
    if (frame) this.#events?.left?.(frame.length - HEADER_BYTES);
    if (frame || !close) return frame;
    this.#host.release(this);
    return this.#done("close", { type: "close", channel, ...close });
  }

  /** There is more to say. */
  get pending(): boolean {
    const { reply, credit, ack, farewell, close } = this.#due;
    return this.#outbox.length > 0 || credit !== undefined || ack !== undefined || !!reply || !!farewell || !!close;
  }

  #done(said: keyof Due, frame: Parameters<typeof encodeFrame>[0]): Uint8Array {
    delete this.#due[said];
    return encodeFrame(frame);
  }

  /** From the connection: a data frame. False: it broke the flow control. */
  receiveMessage(bytes: Uint8Array): boolean {
    if (this.#state !== "open") return true;
    if (!this.#window.receive(bytes.length + MESSAGE_COST)) return false;
    if (this.#events) this.#events.message(bytes);
    else (this.#early ??= []).push(bytes);
    return true;
  }

  receiveCredit(offset: number): void {
    if (offset <= this.#granted) return;
    this.#granted = offset;
    if (this.#state === "open") this.#events?.credit();
  }

  receiveAck(offset: number): void {
    if (this.#state === "open") this.#events?.ack(offset);
  }

  receiveReply(bytes: Uint8Array): void {
    if (this.#state === "open") this.#events?.reply(bytes);
  }

  receiveFarewell(words: GoAway): void {
    if (this.#state === "open") this.#events?.farewell?.(words);
  }

  /** The other side closed, or the connection ended: answered without asking. */
  receiveClose(info: CloseInfo): void {
    if (this.#state === "closed") return;
    const first = this.#state === "open";
    this.#state = "closed";
    this.#outbox.length = 0;
    this.#early = undefined;
    this.#due = {};
    this.#window.close();
    if (first) this.#events?.close(info);
  }
}
