/** What the server knows of its hosts without having it on disk: their last reports, and what ends when they do. */

import type { FairleadError } from "../../protocol/errors.ts";
import type { Beat, NodeWarning } from "../../protocol/node.ts";
import { Liveness } from "./liveness.ts";

/** How often overdue hosts are looked for, in milliseconds. */
export const LOOK_MS = 1_000;

/** Milliseconds for which a warning is shown after it was last due. */
const WARNING_MS = 3_600_000;

interface State {
  /** Milliseconds since 1970. */
  lastSeen?: number;
  address?: string;
  beat?: Beat;
  /** The last of each code. */
  warnings: Map<string, NodeWarning>;
  revocation: AbortController;
}

export type Reported = Required<Pick<State, "address" | "beat">> & { interval: number };

export class Live {
  readonly #liveness = new Liveness(LOOK_MS);
  readonly #states = new Map<string, State>();
  readonly #changed: (uid: string) => void;

  /** `changed` hears of each host that has reported, or that something is wrong with. */
  constructor(changed: (uid: string) => void) {
    this.#changed = changed;
  }

  inherit(uid: string, interval: number): void {
    this.#liveness.inherit(uid, interval);
  }

  /** Takes a report. */
  reported(uid: string, { interval, ...report }: Reported): void {
    this.#liveness.seen(uid, interval);
    const state = Object.assign(this.#state(uid), report, { lastSeen: Date.now() });
    state.warnings.delete("clock-skew");
    this.#changed(uid);
  }

  isReady(uid: string): boolean {
    return this.#liveness.isReady(uid);
  }

  of(uid: string): Readonly<Omit<State, "revocation" | "warnings">> & { warnings: NodeWarning[] } {
    const { revocation: _, warnings, ...state } = this.#state(uid);
    const recent = [...warnings.values()].filter(({ time }) => time > Date.now() - WARNING_MS);
    return { ...state, warnings: recent };
  }

  /** Something is wrong with the host, as somebody with its key has shown. */
  warn(uid: string, code: string, message: string): void {
    this.#state(uid).warnings.set(code, { code, message, time: Date.now() });
    this.#changed(uid);
  }

  overdue(): string[] {
    return this.#liveness.overdue();
  }

  /** Aborts when what the host's agent has opened must end. */
  revoked(uid: string): AbortSignal {
    return this.#state(uid).revocation.signal;
  }

  /** Ends what the host's agent has opened; what it opens from now on is another matter. */
  cut(uid: string, why: FairleadError): void {
    const state = this.#state(uid);
    state.revocation.abort(why);
    state.revocation = new AbortController();
  }

  /** The host is gone. */
  forget(uid: string, why: FairleadError): void {
    this.cut(uid, why);
    this.#states.delete(uid);
    this.#liveness.forget(uid);
  }

  #state(uid: string): State {
    const known = this.#states.get(uid) ?? { revocation: new AbortController(), warnings: new Map() };
    this.#states.set(uid, known);
    return known;
  }
}
