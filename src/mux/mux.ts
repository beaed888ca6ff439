/** Many channels over one transport: opening, accepting, closing, go-away and the end. SPEC.md is its contract. */

import type { Budget } from "./budget.ts";
import { Channel, type OpenRequest } from "./channel.ts";
import { ChannelTable } from "./channel-table.ts";
import { asMuxError, CLOSE, type CloseInfo, violation } from "./errors.ts";
import { decodeFrame, encodeFrame, type Frame, type GoAway, MIN_VERSION, VERSION } from "./frame.ts";
import { Liveness, type TIMES } from "./liveness.ts";
import type { Transport } from "./transport.ts";
import { ReceiveWindow } from "./window.ts";
import { Writer } from "./writer.ts";

export interface MuxOptions {
  /** The side that dialled opens odd channels, the other even ones. */
  role: "dialler" | "listener";
  software: string;
  budget: Budget;
  /** Called for each channel the other side opens; it, or somebody later, calls `channel.start` or `close`. Absent: all are refused. */
  accept?: (channel: Channel) => void;
  /** How many channels the other side may keep open at a time; 256 unless it speaks for many. */
  channels?: number;
  /** The other side is about to leave. */
  goAway?: (goAway: GoAway) => void;
  /** Shortened by tests only. */
  times?: Partial<typeof TIMES>;
}

/** Channels the other side may keep open, unless somebody says otherwise. */
const CHANNELS = 256;
/** Milliseconds for which two channels that took turns are taken to go on so. */
const SHARED_MS = 1_000;
/** Bytes that come in at one go where somebody else may wait to be heard meanwhile. */
const TURN = 65_536;
/** Answers that a peer which does not read may make us owe it. */
const MAX_CONTROL = 1_024;
const UNREAD = "too many answers wait for a peer that does not read";

export class Mux {
  readonly closed: Promise<CloseInfo>;
  readonly #transport: Transport;
  readonly #options: MuxOptions;
  readonly #writer: Writer;
  readonly #liveness: Liveness;
  readonly #channels: ChannelTable;
  #state: "greeting" | "open" | "closed" = "greeting";
  /** How many channels the other side takes. */
  #room = CHANNELS;
  /** The channel that received last, and when it was another one before. */
  #listener = 0;
  #mixed = Number.NEGATIVE_INFINITY;
  /** Bytes that have come since the last rest. */
  #turn = 0;
  #resolveClosed: (info: CloseInfo) => void = () => {};

  constructor(transport: Transport, options: MuxOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#writer = new Writer(transport);
    this.#channels = new ChannelTable(options.role);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const { software } = options;
    this.#say({
      type: "hello",
      hello: { version: VERSION, min: MIN_VERSION, channels: this.#channelsTaken, software },
    });
    const ping = (stamp: number) => this.#say({ type: "ping", stamp });
    this.#liveness = new Liveness({ ping, close: (code, reason) => this.close(code, reason) }, options.times);
    transport.start({
      message: (bytes) => this.#receive(bytes),
      blank: (length, make) => options.budget.frames.blank(length, make),
      drain: () => this.#writer.flush(),
      close: (info) => this.#end(info),
    });
  }

  /** Several channels have received something lately: what is queued for one delays the others. */
  get shared(): boolean {
    return performance.now() - this.#mixed < SHARED_MS;
  }

  /** Shortest round trip in milliseconds, once measured. */
  get rtt(): number | undefined {
    return this.#liveness.rtt;
  }

  get alive(): boolean {
    return this.#state !== "closed";
  }

  /** Channels that are open, whoever opened them. */
  get size(): number {
    return this.#channels.size;
  }

  /** Channels that the other side still takes at present, by what it said in its HELLO. */
  get room(): number {
    return this.#room - this.#channels.own;
  }

  /** Opens a channel; call `start` on it in the same tick. On a connection that ended it closes at once. */
  open(request: OpenRequest): Channel {
    const channel = this.#create(this.#channels.next(), request);
    if (this.#state === "closed") {
      queueMicrotask(() => channel.receiveClose({ code: CLOSE.cut, reason: "the connection is closed" }));
      return channel;
    }
    this.#say({ type: "open", channel: channel.id, header: request.header, body: request.body });
    return channel;
  }

  /** Tells the other side to go elsewhere within `deadline` milliseconds. */
  goAway(goAway: GoAway): void {
    this.#say({ type: "goAway", goAway });
  }

  /** The same where the other side carries channels for others: each is told by itself, and only what is open now. */
  farewell(words: GoAway): void {
    for (const channel of this.#channels.all) channel.farewell(words);
  }

  /** Ends the connection and every channel on it. Idempotent; the first cause counts. */
  close(code: number, reason: string): void {
    if (this.#state === "closed") return;
    this.#transport.close(code, reason);
    this.#end({ code, reason });
  }

  #create(id: number, request: OpenRequest): Channel {
    const window = new ReceiveWindow(this.#options.budget, this);
    const host = { wake: (it: Channel) => this.#writer.wake(it), release: (it: Channel) => this.#channels.release(it) };
    const channel = new Channel(id, request, { host, window });
    this.#channels.add(channel);
    return channel;
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#liveness.hear();
    try {
      const frame = decodeFrame(bytes);
      if (this.#state === "greeting" && frame.type !== "hello") throw violation("the first frame must be HELLO");
      this.#handle(frame);
    } catch (error) {
      const { code, message } = asMuxError(error);
      this.close(code, message);
    }
  }

  #handle(frame: Frame): void {
    switch (frame.type) {
      case "hello":
        return this.#greet(frame.hello);
      case "open":
        return this.#accept(frame.channel, frame);
      case "data":
        this.#liveness.move();
        this.#noteListener(frame.channel);
        this.#takeTurns(frame.message.length);
        if (this.#channels.find(frame.channel)?.receiveMessage(frame.message) === false)
          throw violation(`channel ${frame.channel} sent more than its credit`);
        return;
      case "credit":
        return this.#channels.find(frame.channel)?.receiveCredit(frame.offset);
      case "ack":
        return this.#channels.find(frame.channel)?.receiveAck(frame.offset);
      case "reply":
        return this.#channels.find(frame.channel)?.receiveReply(frame.message);
      case "close":
        return this.#closeChannel(frame.channel, frame);
      case "ping":
        return this.#say({ type: "pong", stamp: frame.stamp });
      case "pong":
        return this.#liveness.answered(frame.stamp);
      case "goAway":
        return this.#options.goAway?.(frame.goAway);
      case "farewell":
        return this.#channels.find(frame.channel)?.receiveFarewell(frame.goAway);
      case "skipped":
        return;
    }
  }

  #noteListener(id: number): void {
    if (id === this.#listener) return;
    if (this.#listener !== 0) this.#mixed = this.#liveness.heard;
    this.#listener = id;
  }

  /** A socket with much to say is read for milliseconds on end: too long while another channel is being used. */
  #takeTurns(bytes: number): void {
    if (!this.shared) return;
    this.#turn += bytes;
    if (this.#turn < TURN) return;
    this.#turn = 0;
    this.#transport.rest?.();
  }

  get #channelsTaken(): number {
    return this.#options.channels ?? CHANNELS;
  }

  #greet(hello: { version: number; min: number; channels: number }): void {
    if (this.#state !== "greeting") throw violation("HELLO is said once");
    if (hello.version < MIN_VERSION || hello.min > VERSION)
      throw violation(
        `this side speaks versions ${MIN_VERSION} to ${VERSION}, the other ${hello.min} to ${hello.version}`,
      );
    this.#room = hello.channels;
    this.#liveness.greeted();
    this.#state = "open";
  }

  #accept(id: number, request: OpenRequest): void {
    this.#channels.expect(id);
    const channel = this.#create(id, { header: request.header, body: request.body });
    const { theirs } = this.#channels;
    const taken = this.#channelsTaken;
    if (theirs > taken + MAX_CONTROL) throw violation(UNREAD);
    if (!this.#options.accept) return channel.close(CLOSE.protocol, "this side accepts no channels");
    if (theirs > taken) return channel.close(CLOSE.tooMany, `a connection carries at most ${taken} channels at a time`);
    this.#options.accept(channel);
  }

  #closeChannel(id: number, info: CloseInfo): void {
    const channel = this.#channels.find(id);
    if (!channel) return;
    channel.receiveClose({ code: info.code, reason: info.reason });
    this.#channels.release(channel);
  }

  #say(frame: Parameters<typeof encodeFrame>[0]): void {
    if (this.#state === "closed") return;
    if (this.#writer.waiting >= MAX_CONTROL) return this.close(CLOSE.protocol, UNREAD);
    this.#writer.say(encodeFrame(frame));
  }

  #end(info: CloseInfo): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#liveness.stop();
    this.#writer.stop();
    const cut = { code: CLOSE.cut, reason: info.reason };
    for (const channel of this.#channels.clear()) channel.receiveClose(cut);
    this.#resolveClosed(info);
  }
}
