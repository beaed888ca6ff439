/** One live thing with an identity that outlives the connection that opened it. */

import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Channel } from "../../mux/channel.ts";
import { CLOSE, type CloseInfo } from "../../mux/errors.ts";
import { Sequence } from "../../mux/sequence.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { json } from "../../protocol/json.ts";
import type { Opened } from "../../protocol/open.ts";
import { decodePacket, encodePacket, type Packet } from "../../protocol/packet.ts";
import { Absence } from "./absence.ts";
import { problemFor, toFairleadError } from "./failure.ts";
import type { Details, Outcome, Serve, SessionIo } from "./io.ts";
import type { Purpose, SessionSpec, Visitor } from "./purpose.ts";

/** What went through a session, in bytes of payload, and the TCP connections that it has carried. */
export interface Moved {
  /** From the client. */
  bytesIn: number;
  bytesOut: number;
  connections: number;
}

type State = "opening" | "serving" | "ended" | "closed";

const ID_BYTES = 12;
/** Once it ended, a client that is connected and does not read the rest is waited for this long, in milliseconds. */
const COLLECT_MS = 600_000;

/** Made once: thousands of connections of a forward end with it. */
const CLOSED = new FairleadError("session-gone", "The session is closed.");
const CLIENT_DONE = new FairleadError("client-gone", "The client closed the session.");

export class Session implements SessionIo, Moved {
  readonly id: string;
  readonly purpose: Purpose;
  readonly visitor: Visitor;
  /** The TCP connections of a forward. */
  readonly children = new Set<Session>();
  readonly closed: Promise<void>;
  /** Resolves when the work is over and nothing of it is left running. */
  worked: Promise<void> = Promise.resolve();
  bytesIn = 0;
  bytesOut = 0;
  /** Of a forward: how many it has carried. */
  connections = 0;
  /** Milliseconds of `performance`: when a packet last moved. */
  lastActive = performance.now();
  readonly #spec: SessionSpec;
  /** Milliseconds of `performance`. */
  readonly #asked = performance.now();
  readonly #secret = randomBytes(24).toString("base64url");
  readonly #sequence: Sequence;
  readonly #stop = new AbortController();
  readonly #observers = new Set<(packet: Packet) => void>();
  #state: State = "opening";
  #tty = false;
  #warning: string | undefined;
  #epoch = 1;
  #channel: Channel | undefined;
  readonly #absence: Absence;
  #resolveClosed: () => void = () => {};

  /** Takes the channel over at once, so that what the client already sends is kept. */
  constructor(spec: SessionSpec) {
    this.#spec = spec;
    this.id = spec.id ?? randomBytes(ID_BYTES).toString("hex");
    this.purpose = spec;
    this.visitor = spec.visitor;
    this.#channel = spec.channel;
    this.#absence = new Absence(spec.grace, () => this.#abandoned());
    this.#sequence = new Sequence({ budget: spec.budget, detached: (info) => this.#detached(info) });
    this.#sequence.attach(spec.channel, 0);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get attached(): boolean {
    return this.#sequence.attached;
  }

  /** A connection of this forward has begun. */
  adopt(child: Session): void {
    this.children.add(child);
    this.connections += 1;
    this.lastActive = performance.now();
  }

  /** It is over: what it carried counts for the forward, which is what the audit tells of. */
  release(child: Session): void {
    this.children.delete(child);
    this.bytesIn += child.bytesIn;
    this.bytesOut += child.bytesOut;
    this.lastActive = performance.now();
  }

  /** What becomes of it when its connection is lost. */
  get fate(): Pick<SessionSpec, "onDrop" | "grace"> {
    const { onDrop, grace } = this.#spec;
    return { onDrop, grace };
  }

  hasSecret(secret: string): boolean {
    const given = Buffer.from(secret);
    const own = Buffer.from(this.#secret);
    return given.length === own.length && timingSafeEqual(given, own);
  }

  /** What is on the other side is a terminal. */
  get tty(): boolean {
    return this.#tty;
  }

  /** Milliseconds since it was asked for. */
  get age(): number {
    return Math.round(performance.now() - this.#asked);
  }

  /** What the client was warned of. */
  get warning(): string | undefined {
    return this.#warning;
  }

  /** Hears every packet that is sent to the client from now on, until the returned function is called. */
  observe(hear: (packet: Packet) => void): () => void {
    this.#observers.add(hear);
    return () => this.#observers.delete(hear);
  }

  accept(details: Details = {}): void {
    if (this.#state !== "opening") return;
    this.#state = "serving";
    this.#tty = details.tty ?? false;
    this.#warning = details.warning;
    this.#spec.meter?.began(this.purpose.kind, (performance.now() - this.#asked) / 1_000);
    this.#channel?.reply(json(this.#opened(details)));
  }

  async *packets(): AsyncGenerator<Packet, void, void> {
    for await (const { tag, payload } of this.#sequence.receive()) {
      this.lastActive = performance.now();
      this.bytesIn += payload.length;
      const packet = decodePacket(tag, payload);
      if (packet) yield packet;
    }
  }

  recycle(bytes: Uint8Array): void {
    this.#sequence.recycle(bytes);
  }

  async send(packet: Packet): Promise<void> {
    for (const hear of this.#observers) hear(packet);
    const { tag, payload } = encodePacket(packet);
    await this.#sequence.send(tag, payload);
    this.lastActive = performance.now();
    this.bytesOut += payload.length;
  }

  end(error: FairleadError): void {
    if (this.#state === "ended" || this.#state === "closed" || this.signal.aborted) return;
    this.#stop.abort(error);
    this.#sequence.stopSending(error);
  }

  /** Does the work, tells the client how it ended, and keeps that for it until it has it. Never rejects. */
  async run(serve: Serve): Promise<Outcome> {
    const outcome = await this.#outcome(serve);
    const refused = this.#state === "opening" && "error" in outcome;
    if (!refused) this.accept();
    this.#state = "ended";
    if (refused) this.#refuse(outcome.error);
    else
      this.#finish(
        "error" in outcome
          ? { type: "error", problem: problemFor(this.visitor, outcome.error) }
          : { type: "exit", ...outcome },
      );
    void this.#collected().then(() => this.close());
    return outcome;
  }

  /** Goes on over another connection. Throws when the client names an epoch that has passed or an offset that is gone. */
  resume(channel: Channel, from: { epoch: number; received: number }): void {
    if (from.epoch <= this.#epoch)
      throw new FairleadError("stale-epoch", "This session was resumed over another connection since.");
    this.#sequence.attach(channel, from.received, { reply: json(this.#opened({ epoch: from.epoch })) });
    this.#epoch = from.epoch;
    this.#channel = channel;
    this.#absence.end();
  }

  /** Lets go of everything at once. Idempotent. */
  close(): void {
    if (this.#state === "closed") return;
    this.#stop.abort(CLOSED);
    this.#state = "closed";
    this.#absence.end();
    this.#sequence.close();
    this.#channel?.close(CLOSE.normal, "the session has ended");
    this.#resolveClosed();
  }

  #opened(details: Details & { epoch?: number }): Opened {
    const { container, onDrop, grace } = this.#spec;
    const identity = { session: this.id, secret: this.#secret, epoch: this.#epoch };
    const place = container && { container: { id: container.id, name: container.name } };
    return { ...identity, received: this.#sequence.received, ...place, onDrop, grace, ...details };
  }

  async #outcome(serve: Serve): Promise<Outcome> {
    try {
      const status = await serve(this);
      return this.signal.aborted ? { error: toFairleadError(this.signal.reason) } : { status };
    } catch (error) {
      return { error: toFairleadError(this.signal.aborted ? this.signal.reason : error) };
    }
  }

  #refuse(error: FairleadError): void {
    this.#channel?.reply(json(problemFor(this.visitor, error)));
    this.#channel?.close(CLOSE.normal, error.code);
  }

  #finish(packet: Packet): void {
    const { tag, payload } = encodePacket(packet);
    this.#sequence.finish(tag, payload);
  }

  /** Until the client has everything; a client that is away has its grace, one that is there does not read for ever. */
  async #collected(): Promise<void> {
    if (!this.attached && !this.#absence.waiting) return;
    const limit = setTimeout(() => this.close(), COLLECT_MS);
    await this.#sequence.settled();
    clearTimeout(limit);
  }

  /** Closed by the client: it is done with it. Cut: it may come back, if that was agreed. */
  #detached(info: CloseInfo): void {
    this.#channel = undefined;
    if (this.#state === "ended") return info.code === CLOSE.cut ? this.#absence.begin() : this.close();
    if (info.code !== CLOSE.cut) return this.end(CLIENT_DONE);
    if (this.#state === "opening" || this.#spec.onDrop === "kill" || this.#spec.grace === 0)
      return this.end(new FairleadError("client-gone", "The connection to the client was lost."));
    this.#absence.begin();
  }

  #abandoned(): void {
    if (this.#state === "ended") return this.close();
    this.end(new FairleadError("client-gone", `The client did not come back within ${this.#spec.grace / 1000} s.`));
  }
}
