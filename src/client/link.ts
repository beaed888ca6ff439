/** The connection under all sessions of a client: dialled when needed, dialled again when lost. */

import { Backoff } from "../lib/backoff.ts";
import { wait } from "../lib/wait.ts";
import type { Budget } from "../mux/budget.ts";
import { CLOSE } from "../mux/errors.ts";
import type { GoAway } from "../mux/frame.ts";
import { Mux } from "../mux/mux.ts";
import { type ErrorCode, ERRORS, FairleadError } from "../protocol/errors.ts";
import type { Dial } from "./client.ts";

export type LinkState =
  | { state: "connecting" }
  | { state: "connected"; again: boolean }
  /**
   * The other side says goodbye, or the agent of `node` behind it: what is open there has so many milliseconds to finish.
   * Anything new goes elsewhere, of a node's to its next agent. That is `connected` again when nothing is open there.
   */
  | { state: "leaving"; node?: string; reason: string; endsInMs: number }
  /** With a `node`: the connection stands, and what is open with the agent of this one behind it waits. */
  | { state: "reconnecting"; node?: string; attempt: number; retryInMs: number; error: FairleadError }
  | { state: "closed"; error?: FairleadError };

/** What the link knows of a session: it is told when there is a connection again, or never will be. */
export interface Rider {
  /** Milliseconds since `performance` began, after which it need not come back; undefined: it is not waiting. */
  readonly deadline: number | undefined;
  /** Where it is, behind a server. */
  readonly node: string | undefined;
  resume(mux: Mux): void;
  /** The agent says goodbye; a session that can go on elsewhere does not wait for its end. */
  farewell(error: FairleadError): void;
  abandon(error: FairleadError): void;
}

/** A session that waits on a live connection: its agent is not there behind the server. */
interface Missed {
  backoff: Backoff;
  due: boolean;
}

export interface LinkOptions {
  dial: Dial;
  software: string;
  onState: (state: LinkState) => void;
  budget: Budget;
}

/** The first attempt follows at once; then these. */
const RETRY = { first: 250, max: 5_000 };
/** After a goodbye: whoever is started again is back within seconds. */
export const RESTART_RETRY = { first: 50, max: 1_000 };
/** An agent behind the server is looked for more often: nobody has to be dialled. */
const AWAY_RETRY = { first: 250, max: 2_000 };
/** Worth another attempt: whoever answers so may answer otherwise in a moment. */
const RETRIED = new Set<ErrorCode>(["unreachable", "engine-unavailable", "shutting-down", "too-many", "internal"]);

export class Link {
  readonly budget: Budget;
  readonly #options: LinkOptions;
  readonly #riders = new Set<Rider>();
  readonly #missed = new Map<Rider, Missed>();
  /** To which the agents behind the server said goodbye. */
  readonly #parting = new Set<Rider>();
  readonly #stop = new AbortController();
  /** Carries what is new. */
  #mux: Mux | undefined;
  /** Carry what has not ended yet, and nothing new. */
  readonly #leaving = new Set<Mux>();
  #dialling: Promise<Mux> | undefined;
  #reconnecting = false;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.budget = options.budget;
  }

  /** The live connection, dialled now if there is none; a first attempt that fails is the caller's to hear. */
  async mux(): Promise<Mux> {
    if (this.#closed) throw new FairleadError("unreachable", "The client is closed.");
    if (this.#mux?.alive) return this.#mux;
    return this.#dialOnce(false);
  }

  add(rider: Rider): void {
    this.#riders.add(rider);
  }

  remove(rider: Rider): void {
    this.#riders.delete(rider);
    this.#missed.delete(rider);
    if (this.#parting.delete(rider) && this.#parting.size === 0 && this.#mux?.alive)
      this.#options.onState({ state: "connected", again: true });
  }

  /** The session lost its channel, or was not taken back yet. On a live connection it is tried again until its time is up. */
  missed(rider: Rider, error: FairleadError): void {
    if (this.#closed || !this.#mux?.alive) return;
    const missed = this.#missed.get(rider) ?? { backoff: new Backoff(AWAY_RETRY), due: false };
    this.#missed.set(rider, missed);
    if (!missed.due) void this.#tryAgain(rider, missed, error);
  }

  /** The session goes on. */
  regained(rider: Rider): void {
    if (this.#missed.delete(rider) && this.#missed.size === 0)
      this.#options.onState({ state: "connected", again: true });
  }

  /** The agent of this session, behind the server, says goodbye: to each session, which is told of once where any stays. */
  parting(rider: Rider, { reason, deadline }: GoAway): void {
    const { node } = rider;
    rider.farewell(goodbye(reason));
    if (!this.#riders.has(rider)) return;
    const told = [...this.#parting].some((other) => other.node === node);
    this.#parting.add(rider);
    if (!told)
      this.#options.onState({ state: "leaving", ...(node !== undefined && { node }), reason, endsInMs: deadline });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // The goodbyes first: a dialler may take the signal as leave to cut what it opened.
    for (const rider of this.#riders) rider.abandon(new FairleadError("unreachable", "The client was closed."));
    for (const mux of [this.#mux, ...this.#leaving]) mux?.close(CLOSE.normal, "done");
    this.#stop.abort();
    this.#options.onState({ state: "closed" });
  }

  #dialOnce(again: boolean): Promise<Mux> {
    this.#dialling ??= this.#connect(again).finally(() => {
      this.#dialling = undefined;
    });
    return this.#dialling;
  }

  async #connect(again: boolean): Promise<Mux> {
    if (!again) this.#options.onState({ state: "connecting" });
    const { dial, software, budget } = this.#options;
    // It may have come with the first words, which are heard before there is a `mux`.
    const goAway = (words: GoAway) => queueMicrotask(() => this.#farewell(mux, words));
    const transport = await dial(this.#stop.signal);
    const mux: Mux = new Mux(transport, { role: "dialler", software, budget, goAway });
    if (this.#closed) {
      mux.close(CLOSE.normal, "done");
      throw new FairleadError("unreachable", "The client was closed.");
    }
    this.#mux = mux;
    this.#options.onState({ state: "connected", again });
    void mux.closed.then(({ code, reason }) => this.#lost(mux, code, reason));
    return mux;
  }

  /** What is new gets another connection, even while what is open still uses this one. */
  #farewell(mux: Mux, { reason, deadline }: GoAway): void {
    if (this.#mux !== mux || this.#closed) return;
    this.#mux = undefined;
    this.#leaving.add(mux);
    this.#options.onState({ state: "leaving", reason, endsInMs: deadline });
    for (const rider of this.#riders) rider.farewell(goodbye(reason));
  }

  #lost(mux: Mux, code: number, reason: string): void {
    const announced = this.#leaving.delete(mux) || code === CLOSE.goingAway;
    if ((this.#mux !== mux && !announced) || this.#closed) return;
    if (this.#mux === mux) this.#mux = undefined;
    if (code === ERRORS.revoked.close) return this.#abandon(new FairleadError("revoked", "Your access was withdrawn."));
    const words = reason || `closed with code ${code}`;
    if (this.#mux?.alive) return;
    const lost = new FairleadError("unreachable", `The connection was lost (${words}).`);
    void this.#reconnect(lost, new Backoff(announced ? RESTART_RETRY : RETRY));
  }

  async #tryAgain(rider: Rider, missed: Missed, error: FairleadError): Promise<void> {
    const { backoff } = missed;
    const { node } = rider;
    const attempt = backoff.attempt + 1;
    const retryInMs = backoff.next();
    missed.due = true;
    this.#options.onState({ state: "reconnecting", ...(node !== undefined && { node }), attempt, retryInMs, error });
    await wait(retryInMs, this.#stop.signal);
    missed.due = false;
    if (rider.deadline === undefined) return;
    if (performance.now() >= rider.deadline) rider.abandon(error);
    else if (this.#mux?.alive) rider.resume(this.#mux);
  }

  /** Until it succeeds, no session waits any more, or an answer says that trying again is useless. */
  async #reconnect(lost: FairleadError, backoff: Backoff): Promise<void> {
    if (this.#reconnecting) return;
    this.#reconnecting = true;
    let error = lost;
    let retryInMs = 0;
    try {
      while (!this.#stop.signal.aborted && this.#waiting(error)) {
        this.#options.onState({ state: "reconnecting", attempt: backoff.attempt + 1, retryInMs, error });
        await wait(retryInMs, this.#stop.signal);
        try {
          const mux = await this.#dialOnce(true);
          if (!mux.alive) throw new FairleadError("unreachable", "The connection was lost again at once.");
          for (const rider of this.#riders) if (rider.deadline !== undefined) rider.resume(mux);
          return;
        } catch (cause) {
          error = cause instanceof FairleadError ? cause : new FairleadError("unreachable", String(cause));
          if (!RETRIED.has(error.code)) return this.#abandon(error);
          retryInMs = backoff.next();
        }
      }
    } finally {
      this.#reconnecting = false;
    }
  }

  /** Lets go of the sessions whose time is up; whether any is left. */
  #waiting(error: FairleadError): boolean {
    let any = false;
    for (const rider of this.#riders) {
      if (rider.deadline === undefined) continue;
      if (performance.now() >= rider.deadline) rider.abandon(error);
      else any = true;
    }
    return any;
  }

  #abandon(error: FairleadError): void {
    for (const rider of this.#riders) rider.abandon(error);
    this.#options.onState({ state: "closed", error });
  }
}

function goodbye(reason: string): FairleadError {
  return new FairleadError("shutting-down", `The agent says goodbye (${reason}).`);
}
