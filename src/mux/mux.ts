/** Many channels over one transport: opening, accepting, fair writing, liveness, go-away and the end. SPEC.md is its contract. */

import type { Budget } from "./budget.ts";
import { Channel, type OpenRequest } from "./channel.ts";
import { CLOSE, type CloseInfo, MuxError, violation } from "./errors.ts";
import { decodeFrame, encodeFrame, type Frame, type GoAway, MIN_VERSION, VERSION } from "./frame.ts";
import { RoundTrip } from "./rtt.ts";
import type { Transport } from "./transport.ts";
import { ReceiveWindow } from "./window.ts";

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

/** Milliseconds. */
const TIMES = {
  /** How often liveness is looked at; while bytes move, also how often the round trip is measured. */
  tick: 1_000,
  /** A quiet connection is asked after so long. */
  idle: 15_000,
  /** Without a single byte for so long the other side is dead. */
  dead: 45_000,
  /** The first frame must arrive within. */
  hello: 10_000,
};
/** One after the other at the start, while nothing is queued: the shortest is the path's round trip. */
const FIRST_PINGS = 3;
/** Channels the other side may keep open, unless somebody says otherwise. */
const CHANNELS = 256;
/** Milliseconds for which two channels that took turns are taken to go on so. */
const SHARED_MS = 1_000;
/** Bytes handed to the transport and not gone: what a keystroke has to wait for on this machine. */
const WRITE_AHEAD = 262_144;
/** Answers that a peer which does not read may make us owe it. */
const MAX_CONTROL = 1_024;
const UNREAD = "too many answers wait for a peer that does not read";

export class Mux {
  readonly closed: Promise<CloseInfo>;
  readonly #transport: Transport;
  readonly #options: MuxOptions;
  readonly #times: typeof TIMES;
  readonly #channels = new Map<number, Channel>();
  readonly #rtt = new RoundTrip();
  readonly #control: Uint8Array[] = [];
  /** Channels that were quiet and now have something: served before those that send on and on. */
  readonly #fresh: Channel[] = [];
  readonly #steady: Channel[] = [];
  #state: "greeting" | "open" | "closed" = "greeting";
  #lastOwn: number;
  #lastTheirs: number;
  /** Open channels, by who opened them, and how many the other side takes. */
  #theirs = 0;
  #own = 0;
  #room = CHANNELS;
  #moved = false;
  /** The channel that received last, and when it was another one before. */
  #listener = 0;
  #mixed = Number.NEGATIVE_INFINITY;
  #heard = performance.now();
  #asked = performance.now();
  #flushing = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #resolveClosed: (info: CloseInfo) => void = () => {};

  constructor(transport: Transport, options: MuxOptions) {
    this.#transport = transport;
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
    this.#lastOwn = options.role === "dialler" ? -1 : 0;
    this.#lastTheirs = options.role === "dialler" ? 0 : -1;
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    const { software } = options;
    this.#say({
      type: "hello",
      hello: { version: VERSION, min: MIN_VERSION, channels: this.#channelsTaken, software },
    });
    this.#ask();
    this.#tick();
    transport.start({
      message: (bytes) => this.#receive(bytes),
      drain: () => this.#flush(),
      close: (info) => this.#end(info),
    });
  }

  /** Several channels have received something lately: what is queued for one delays the others. */
  get shared(): boolean {
    return performance.now() - this.#mixed < SHARED_MS;
  }

  /** Shortest round trip in milliseconds, once measured. */
  get rtt(): number | undefined {
    return this.#rtt.min;
  }

  get alive(): boolean {
    return this.#state !== "closed";
  }

  /** Channels that are open, whoever opened them. */
  get size(): number {
    return this.#channels.size;
  }

  /** The other side takes no more channels at present: it said so in its HELLO. */
  get full(): boolean {
    return this.#own >= this.#room;
  }

  /** Opens a channel; call `start` on it in the same tick. On a connection that ended it closes at once. */
  open(request: OpenRequest): Channel {
    this.#lastOwn += 2;
    const channel = this.#create(this.#lastOwn, request);
    if (this.#state === "closed") {
      queueMicrotask(() => channel.receiveClose({ code: 1006, reason: "the connection is closed" }));
      return channel;
    }
    this.#own += 1;
    this.#say({ type: "open", channel: channel.id, header: request.header, body: request.body });
    return channel;
  }

  /** Tells the other side to go elsewhere within `deadline` milliseconds. */
  goAway(goAway: GoAway): void {
    this.#say({ type: "goAway", goAway });
  }

  /** Ends the connection and every channel on it. Idempotent; the first cause counts. */
  close(code: number, reason: string): void {
    if (this.#state === "closed") return;
    this.#transport.close(code, reason);
    this.#end({ code, reason });
  }

  #create(id: number, request: OpenRequest): Channel {
    const window = new ReceiveWindow(this.#options.budget, this);
    const host = { wake: (it: Channel) => this.#wake(it), release: (it: Channel) => this.#release(it) };
    const channel = new Channel(id, request, { host, window });
    this.#channels.set(id, channel);
    return channel;
  }

  #receive(bytes: Uint8Array): void {
    if (this.#state === "closed") return;
    this.#heard = performance.now();
    this.#moved = true;
    try {
      const frame = decodeFrame(bytes);
      if (this.#state === "greeting" && frame.type !== "hello") throw violation("the first frame must be HELLO");
      this.#handle(frame);
    } catch (error) {
      const { code, message } = error instanceof MuxError ? error : new MuxError(CLOSE.internal, String(error));
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
        this.#noteListener(frame.channel);
        if (this.#find(frame.channel)?.receiveMessage(frame.message) === false)
          throw violation(`channel ${frame.channel} sent more than its credit`);
        return;
      case "credit":
        return this.#find(frame.channel)?.receiveCredit(frame.offset);
      case "ack":
        return this.#find(frame.channel)?.receiveAck(frame.offset);
      case "reply":
        return this.#find(frame.channel)?.receiveReply(frame.message);
      case "close":
        return this.#closeChannel(frame.channel, frame);
      case "ping":
        return this.#say({ type: "pong", stamp: frame.stamp });
      case "pong":
        this.#rtt.add(Math.max(0, performance.now() - frame.stamp / 1000));
        if (this.#rtt.samples < FIRST_PINGS) this.#ask();
        return;
      case "goAway":
        return this.#options.goAway?.(frame.goAway);
      case "skipped":
        return;
    }
  }

  #noteListener(id: number): void {
    if (id === this.#listener) return;
    if (this.#listener !== 0) this.#mixed = this.#heard;
    this.#listener = id;
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
    this.#state = "open";
  }

  #accept(id: number, request: OpenRequest): void {
    if (this.#isOwn(id) || id <= this.#lastTheirs) throw violation(`channel ${id} may not be opened`);
    this.#lastTheirs = id;
    const channel = this.#create(id, { header: request.header, body: request.body });
    this.#theirs += 1;
    const taken = this.#channelsTaken;
    if (this.#theirs > taken + MAX_CONTROL) throw violation(UNREAD);
    if (!this.#options.accept) return channel.close(CLOSE.protocol, "this side accepts no channels");
    if (this.#theirs > taken) return channel.close(4429, `a connection carries at most ${taken} channels at a time`);
    this.#options.accept(channel);
  }

  /** By its number, of which each side has every second one: this side opened it, or would. */
  #isOwn(id: number): boolean {
    return id % 2 === (this.#options.role === "dialler" ? 1 : 0);
  }

  /** Frames for a channel that ended here and not yet there are expected, and dropped. */
  #find(id: number): Channel | undefined {
    const channel = this.#channels.get(id);
    if (channel) return channel;
    const last = this.#isOwn(id) ? this.#lastOwn : this.#lastTheirs;
    if (id > last) throw violation(`channel ${id} was never opened`);
    return undefined;
  }

  #closeChannel(id: number, info: CloseInfo): void {
    const channel = this.#find(id);
    if (!channel) return;
    channel.receiveClose({ code: info.code, reason: info.reason });
    this.#release(channel);
  }

  #release(channel: Channel): void {
    if (!this.#channels.delete(channel.id)) return;
    if (this.#isOwn(channel.id)) this.#own -= 1;
    else this.#theirs -= 1;
  }

  #say(frame: Parameters<typeof encodeFrame>[0]): void {
    if (this.#state === "closed") return;
    if (this.#control.length >= MAX_CONTROL) return this.close(CLOSE.protocol, UNREAD);
    this.#control.push(encodeFrame(frame));
    this.#flush();
  }

  #wake(channel: Channel): void {
    if (!channel.queued) {
      channel.queued = true;
      this.#fresh.push(channel);
    }
    this.#flush();
  }

  /** One frame a turn and channel, quiet channels first: bulk never starves a keystroke. */
  #flush(): void {
    if (this.#flushing || this.#state === "closed") return;
    this.#flushing = true;
    while (this.#transport.buffered < WRITE_AHEAD) {
      const frame = this.#control.shift() ?? this.#nextOfChannels();
      if (!frame) break;
      this.#transport.send(frame);
    }
    this.#flushing = false;
  }

  #nextOfChannels(): Uint8Array | undefined {
    for (;;) {
      const channel = this.#fresh.shift() ?? this.#steady.shift();
      if (!channel) return undefined;
      const frame = channel.next();
      channel.queued = channel.pending;
      if (channel.queued) this.#steady.push(channel);
      if (frame) return frame;
    }
  }

  #ask(): void {
    this.#asked = performance.now();
    this.#say({ type: "ping", stamp: Math.round(this.#asked * 1000) });
  }

  #tick(): void {
    this.#timer = setTimeout(() => {
      const now = performance.now();
      const { hello, dead, idle } = this.#times;
      const silence = now - this.#heard;
      if (this.#state === "greeting" && silence > hello) return this.close(CLOSE.protocol, "no HELLO in time");
      if (silence > dead) return this.close(CLOSE.dead, `nothing heard for ${Math.round(silence / 1000)} s`);
      if (this.#moved || now - this.#asked > idle) this.#ask();
      this.#moved = false;
      this.#tick();
    }, this.#times.tick);
  }

  #end(info: CloseInfo): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    clearTimeout(this.#timer);
    this.#control.length = 0;
    const cut = { code: 1006, reason: info.reason };
    for (const channel of this.#channels.values()) channel.receiveClose(cut);
    this.#channels.clear();
    this.#resolveClosed(info);
  }
}
