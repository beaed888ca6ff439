/** One session as its user sees it: packets in, packets out, resumed by itself. */

import type { Channel } from "../mux/channel.ts";
import { CLOSE, type CloseInfo } from "../mux/errors.ts";
import type { Mux } from "../mux/mux.ts";
import { Sequence } from "../mux/sequence.ts";
import { type ErrorCode, ERRORS, FairleadError } from "../protocol/errors.ts";
import { json } from "../protocol/json.ts";
import { type Opened, type OpenHeader, readReply, type ResumeBody } from "../protocol/open.ts";
import { decodePacket, encodePacket, type Packet } from "../protocol/packet.ts";
import type { Link, Rider } from "./link.ts";

/** How long an agent may take to answer an open before the connection is at fault, in milliseconds. */
const OPEN_TIMEOUT_MS = 60_000;

/** Refusals of a resume that may be another answer in a moment. */
const PASSING = new Set<ErrorCode>(["agent-away", "too-many"]);

interface Request {
  header: OpenHeader;
  body: unknown;
  /** Another session can take its place at any time: it does not wait for an agent that says goodbye. */
  movable?: boolean | undefined;
}

export class RemoteSession implements Rider {
  readonly #link: Link;
  readonly #request: Request;
  readonly #sequence: Sequence;
  readonly #opened = promiseOf<Opened>();
  readonly #ended = promiseOf<Error | undefined>();
  #state: "opening" | "live" | "lost" | "ended" = "opening";
  #channel: Channel | undefined;
  /** On which a resume waits for its answer. */
  #resuming: Channel | undefined;
  #info: Opened | undefined;
  #epoch = 1;
  #deadline: number | undefined;

  /** Sends the request; `opened` tells whether the agent accepted. Rejects when there is no connection. */
  static async open(link: Link, request: Request): Promise<RemoteSession> {
    const session = new RemoteSession(link, request);
    try {
      session.#start(await link.mux());
      return session;
    } catch (error) {
      session.#end(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }
  }

  private constructor(link: Link, request: Request) {
    this.#link = link;
    this.#request = request;
    this.#sequence = new Sequence({ budget: link.budget, detached: (info) => this.#drop(info) });
    this.#opened.promise.catch(() => {});
    link.add(this);
  }

  /** Resolves when the agent accepted; rejects with its refusal. */
  get opened(): Promise<Opened> {
    return this.#opened.promise;
  }

  /** Resolves when the session is over, with the error if it was lost or ended by the agent. Never rejects. */
  get ended(): Promise<Error | undefined> {
    return this.#ended.promise;
  }

  get id(): string {
    return this.#info?.session ?? "";
  }

  get secret(): string {
    return this.#info?.secret ?? "";
  }

  /** Of a shell on the host: whose it is. */
  get user(): string | undefined {
    return this.#info?.user;
  }

  get container(): { id: string; name: string } | undefined {
    return this.#info?.container;
  }

  get tty(): boolean | undefined {
    return this.#info?.tty;
  }

  /** Of an attach: whether what is sent arrives. */
  get stdin(): boolean | undefined {
    return this.#info?.stdin;
  }

  get deadline(): number | undefined {
    return this.#deadline;
  }

  get node(): string | undefined {
    return this.#request.header.node;
  }

  /**
   * Everything the agent sends, in order. Asking for the next packet says that this one is consumed. Ends after
   * an `exit` packet; throws a FairleadError when the agent ended the session or it was lost. Read once.
   */
  async *packets(): AsyncGenerator<Packet, void, void> {
    try {
      for await (const { tag, payload } of this.#sequence.receive()) {
        const packet = decodePacket(tag, payload);
        if (!packet) continue;
        if (packet.type === "error") throw FairleadError.from(packet.problem);
        yield packet;
        if (packet.type === "exit") return;
      }
    } catch (error) {
      this.#end(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#end(undefined);
    }
  }

  /** Nobody looks at the bytes of this packet any more: their memory may be used for another one. Need not be said. */
  recycle(bytes: Uint8Array): void {
    this.#sequence.recycle(bytes);
  }

  /** Resolves when there is room for more: awaiting it is the back-pressure. Rejects once the session is over. */
  async send(packet: Packet): Promise<void> {
    const { tag, payload } = encodePacket(packet);
    if (packet.type === "resize") return this.#sequence.sendLatest(tag, payload);
    return this.#sequence.send(tag, payload);
  }

  /** Ends it: the agent ends what it runs and frees everything. Idempotent. */
  async close(): Promise<void> {
    this.#end(undefined);
  }

  /** The link has a connection again. */
  resume(mux: Mux): void {
    const info = this.#info;
    if (!info || this.#state !== "lost" || this.#resuming) return;
    this.#epoch += 1;
    const { node } = this.#request.header;
    const header: OpenHeader = { op: "resume", session: info.session, ...(node && { node }) };
    const body: ResumeBody = { secret: info.secret, epoch: this.#epoch, received: this.#sequence.received };
    const channel = mux.open({ header: json(header), body: json(body) });
    this.#resuming = channel;
    channel.start({
      message: () => {},
      credit: () => {},
      ack: () => {},
      close: (end) => this.#refused(channel, end),
      reply: (bytes) => this.#takeUp(channel, readReply(bytes)),
    });
  }

  farewell(error: FairleadError): void {
    if (this.#request.movable) this.#end(error);
  }

  abandon(error: FairleadError): void {
    this.#end(error);
  }

  #start(mux: Mux): void {
    // Its agent said goodbye with its first words.
    if (this.#state === "ended") return;
    const { header, body } = this.#request;
    const channel = mux.open({ header: json(header), body: json(body) });
    this.#channel = channel;
    const timer = setTimeout(() => channel.close(ERRORS["no-answer"].close, "no answer"), OPEN_TIMEOUT_MS);
    const answered = () => clearTimeout(timer);
    this.#opened.promise.then(answered, answered);
    this.#sequence.attach(channel, 0, {
      onReply: (bytes) => this.#answer(readReply(bytes)),
      onFarewell: (words) => this.#link.parting(this, words),
    });
  }

  #answer(answer: Opened | FairleadError): void {
    if (answer instanceof FairleadError) return this.#end(answer);
    this.#info = answer;
    this.#state = "live";
    this.#opened.resolve(answer);
  }

  /** What a resume was answered. An agent that is not there yet may be in a moment. */
  #takeUp(channel: Channel, answer: Opened | FairleadError): void {
    if (channel !== this.#resuming) return;
    this.#resuming = undefined;
    if (answer instanceof FairleadError)
      return PASSING.has(answer.code) ? this.#link.missed(this, answer) : this.abandon(answer);
    this.#channel = channel;
    try {
      this.#sequence.attach(channel, answer.received, { onFarewell: (words) => this.#link.parting(this, words) });
    } catch (cause) {
      return this.#end(new FairleadError("protocol-error", offsetWords(cause), { cause }));
    }
    this.#state = "live";
    this.#deadline = undefined;
    this.#link.regained(this);
  }

  /** The channel under the sequence ended: by the agent, or with the connection. */
  #drop(info: CloseInfo): void {
    this.#channel = undefined;
    if (this.#state === "opening" || !this.#info || info.code !== CLOSE.cut || this.#info.onDrop === "kill")
      return this.#end(new FairleadError("unreachable", dropWords(info, this.#info)));
    this.#state = "lost";
    this.#deadline = performance.now() + this.#info.grace;
    this.#link.missed(this, new FairleadError("unreachable", `The agent's connection was lost (${info.reason}).`));
  }

  /** A resume that ended without an answer: lost again if a connection went, else refused. */
  #refused(channel: Channel, info: CloseInfo): void {
    if (channel !== this.#resuming) return;
    this.#resuming = undefined;
    if (info.code !== CLOSE.cut)
      return this.#end(
        new FairleadError("session-gone", `The agent did not take the session up again (${info.reason}).`),
      );
    this.#link.missed(this, new FairleadError("unreachable", `The agent's connection was lost (${info.reason}).`));
  }

  #end(error: Error | undefined): void {
    if (this.#state === "ended") return;
    const unanswered = this.#state === "opening";
    this.#state = "ended";
    this.#deadline = undefined;
    this.#link.remove(this);
    this.#sequence.close(error);
    (this.#resuming ?? this.#channel)?.close(CLOSE.normal, "done");
    if (unanswered) this.#opened.reject(error ?? new FairleadError("session-gone", "The session was closed."));
    this.#ended.resolve(error);
  }
}

function dropWords(info: CloseInfo, opened: Opened | undefined): string {
  const why = info.reason || "nobody said why";
  if (!opened) return `The connection was lost before the agent answered (${why}).`;
  if (info.code !== CLOSE.cut) return `The agent closed the session (${why}).`;
  return `The connection was lost and this session is not kept (${why}); what ran in it was ended.`;
}

function offsetWords(cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause);
  return `The session was ended: its agent would go on from where it does not stand (${why}).`;
}

interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
}

function promiseOf<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
