/** The end of a process: signals, the two-step shutdown with its deadlines, and what happens after an error that nobody caught. */

import { aborted } from "../lib/wait.ts";
import type { OpenLog } from "./log.ts";

/** Time for parts that were cut to let go, in milliseconds: ending a process that ignores every polite signal takes 5 s. */
const CUT_MS = 6_000;
/** npm passes on a Ctrl-C that the terminal has already delivered: so soon, in milliseconds, it is the same one. */
const ECHO_MS = 500;
/** Time for the last log lines, in milliseconds: a fatal error must end the process within a second. */
const FLUSH_MS = 500;
/** A closed terminal ends the program as cleanly as Ctrl-C does. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** The longest interval there is; it only keeps the process from ending before it is told to. */
const FOREVER_MS = 2 ** 31 - 1;

export class Life {
  readonly #log: OpenLog;
  readonly #graceMs: number;
  readonly #stopping = new AbortController();
  readonly #cut = new AbortController();
  #exiting = false;
  #last = { signal: "", at: 0 };

  /** Listens from now on to signals and to errors that nobody caught. */
  constructor(log: OpenLog, graceMs: number) {
    this.#log = log;
    this.#graceMs = graceMs;
    setInterval(() => undefined, FOREVER_MS);
    for (const signal of SIGNALS) process.on(signal, () => this.#onSignal(signal));
    // Rejections without a handler come here as well. Nothing is known about the state now, so nothing goes on.
    process.on("uncaughtException", (error) => {
      if (!this.#exiting) this.#log.log.fatal({ err: error }, "an error that nobody expected; ending");
      void this.exit(1);
    });
  }

  /** Aborted when the program is told to end. */
  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Aborted when it must not wait for anything any longer. */
  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  /** Resolves when the program is told to end. */
  stopped(): Promise<void> {
    return aborted(this.stopping);
  }

  /** Brings the log out and ends the process; the first call decides. */
  async exit(code: number): Promise<void> {
    if (this.#exiting) return;
    this.#exiting = true;
    const flushed = await within(FLUSH_MS, this.#log.flush());
    // A thread that hangs in a write would keep process.exit from ever ending.
    if (!flushed && this.#log.holdsExit) process.kill(process.pid, "SIGKILL");
    process.exit(code);
  }

  #onSignal(signal: string): void {
    const echo = signal === this.#last.signal && performance.now() - this.#last.at < ECHO_MS;
    if (echo) return;
    this.#last = { signal, at: performance.now() };
    if (!this.stopping.aborted) this.#drain(signal);
    else if (!this.cut.aborted) this.#cutNow(`${signal} again`);
    else void this.exit(1);
  }

  #drain(signal: string): void {
    this.#log.log.info({ signal, graceMs: this.#graceMs }, "ending; a second signal ends at once");
    setTimeout(() => this.#cutNow("the time to finish is over"), this.#graceMs);
    this.#stopping.abort();
  }

  #cutNow(why: string): void {
    if (this.cut.aborted) return;
    this.#log.log.info({ why }, "ending at once");
    setTimeout(() => this.#giveUp(), CUT_MS);
    this.#cut.abort();
  }

  #giveUp(): void {
    this.#log.log.error("a part of the program did not let go; leaving all the same");
    void this.exit(1);
  }
}

/** Whether the work was done in time. */
async function within(ms: number, work: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const done = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return done;
}
