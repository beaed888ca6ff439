/** Reports to the server, at once and then again and again; registers first, and whenever the server asks for it. */

import { Backoff } from "../../lib/backoff.ts";
import { wait } from "../../lib/wait.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { BEAT_PATH, BeatReply } from "../../protocol/fleet.ts";
import type { Beat, NodeSettings } from "../../protocol/node.ts";
import type { Registrar } from "./register.ts";

/** 1 2 4 8 16 30 seconds, with jitter. */
const RETRY = { first: 1_000, max: 30_000 };
/** A report comes up to this share of the interval early, so that many hosts do not report at once. */
const JITTER = 0.1;
/** Milliseconds between two reports, whatever there is to tell. */
const SOONEST = 1_000;
/** News waits for up to so many milliseconds more: many hosts have the same at once when their server comes back. */
const SPREAD = 1_000;

export interface HeartbeatParts {
  registrar: Registrar;
  /** Gathers what is known, and waits for nothing. */
  beat: () => Beat;
  /** Hears of what the server wants, at registration and with each reply. */
  settled: (settings: NodeSettings) => void;
  /** Hears of each report that came through, and of each failure. */
  reported: (failure: FairleadError | undefined) => void;
  /** Whether the key is so old that it is time for another. */
  keyIsOld: (settings: NodeSettings) => boolean;
  random?: () => number;
}

export class Heartbeat {
  readonly #parts: HeartbeatParts;
  /** Milliseconds between reports, as the server wants it. */
  #interval = 0;
  #registered = false;
  /** The server takes no report before another registration. */
  #overdue = false;
  #changing = false;
  /** Aborted when something has changed that is worth a report. */
  #news = new AbortController();

  constructor(parts: HeartbeatParts) {
    this.#parts = parts;
  }

  /** Resolves when the signal aborts; gives up for no other reason. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(RETRY);
    while (!signal.aborted) {
      const started = performance.now();
      try {
        await this.#report();
        backoff.reset();
        this.#parts.reported(undefined);
        await this.#rest(started, signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#parts.reported(asFairleadError(error));
        await wait(backoff.next(), signal);
      }
    }
  }

  /** The next report comes soon. One that could not be made waits for its time: the server may be in need of rest. */
  hasten(): void {
    this.#news.abort();
  }

  async #rest(since: number, signal: AbortSignal): Promise<void> {
    const until = (ms: number) => Math.max(0, ms - (performance.now() - since));
    const { random = Math.random } = this.#parts;
    const pause = this.#interval * (1 - JITTER * random());
    await wait(until(Math.min(SOONEST, pause)), signal);
    await wait(until(pause), AbortSignal.any([signal, this.#news.signal]));
    await wait(Math.min(until(pause), SPREAD * random()), signal);
    this.#news = new AbortController();
  }

  async #report(): Promise<void> {
    const { registrar, beat, keyIsOld } = this.#parts;
    if (!this.#registered) await this.#register();
    const reply = await registrar.signed(BEAT_PATH, beat()).catch((error: unknown) => {
      // Whatever the server has against this host, registering again mends it or tells what to do.
      this.#overdue = error instanceof FairleadError && AGAIN.has(error.code);
      if (this.#overdue) this.#registered = false;
      throw error;
    });
    // Taken with the epoch that the host has: another one, when there is room again, would cut its sessions for nothing.
    this.#registered = true;
    const { settings, rotate } = parse(reply);
    this.#settle(settings);
    if (rotate || keyIsOld(settings)) void this.#changeKey();
  }

  /** With a full disk a host goes on as it is known: an epoch that it used and then forgot would make it a copy of itself. */
  async #register(): Promise<void> {
    const { registrar } = this.#parts;
    if (!this.#overdue && !(await registrar.canKeep())) return;
    this.#settle((await registrar.register()).settings);
    this.#registered = true;
  }

  /** Beside the reports, which it must not hold up; the next reply asks again if it fails. */
  async #changeKey(): Promise<void> {
    if (this.#changing) return;
    this.#changing = true;
    try {
      await this.#parts.registrar.changeKey();
    } catch (error) {
      this.#parts.reported(asFairleadError(error));
    } finally {
      this.#changing = false;
    }
  }

  #settle(settings: NodeSettings): void {
    this.#interval = settings.heartbeatInterval;
    this.#parts.settled(settings);
  }
}

const AGAIN: ReadonlySet<string> = new Set(["stale-epoch", "unknown-node", "revoked"]);

function parse(reply: unknown): BeatReply {
  const parsed = BeatReply.safeParse(reply);
  if (parsed.success) return parsed.data;
  throw new FairleadError(
    "protocol-error",
    "The server's answer to the report cannot be understood; update the older of the two.",
  );
}

function asFairleadError(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new FairleadError("internal", `The report could not be made: ${words}`, { cause: error });
}
