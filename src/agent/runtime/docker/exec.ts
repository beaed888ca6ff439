/** A process in a container that somebody talks to, over the engine's raw stream. */

import { type ExecSpec, type ExitStatus, type Output, type Process, RuntimeError, type Size } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";
import { type StartedExec, startExec } from "./exec-start.ts";
import { waitForEnd } from "./exec-state.ts";
import type { Killer } from "./kill.ts";
import { processOutput } from "./process-output.ts";
import { toSignal } from "../signal-names.ts";

/** What the end-of-file key of a terminal sends. */
const END_OF_FILE = Buffer.from("\x04");
/** Milliseconds in which the engine says how a process ended that we have ended. */
const STATUS_TIMEOUT = 2000;

export interface ExecParts {
  engine: Engine;
  killer: Killer;
  /** Every process is in here for as long as it may have to be closed. */
  open: Set<Process>;
}

/** Resolves once the process runs. */
export async function openExec(
  parts: ExecParts,
  { containerId, spec }: { containerId: string; spec: ExecSpec },
  signal: AbortSignal,
): Promise<ExecProcess> {
  return new ExecProcess(parts, await startExec(parts, { containerId, spec }, signal), spec);
}

export class ExecProcess implements Process {
  readonly output: AsyncIterable<Output>;
  readonly exit: Promise<ExitStatus>;
  readonly #parts: ExecParts;
  readonly #started: StartedExec;
  readonly #tty: boolean;
  #state: "running" | "closing" | "ended" = "running";
  #settle: (status: ExitStatus) => void = () => {};
  #closed: Promise<void> | undefined;

  constructor(parts: ExecParts, started: StartedExec, spec: ExecSpec) {
    this.#parts = parts;
    this.#started = started;
    this.#tty = spec.tty;
    this.exit = new Promise((resolve) => {
      this.#settle = resolve;
    });
    parts.open.add(this);
    this.output = processOutput(started.wire, { tty: spec.tty, ended: (error) => void this.#outputEnded(error) });
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#state !== "running") throw new RuntimeError("not-running", "The process has ended.");
    try {
      await this.#started.wire.write(bytes);
    } catch (cause) {
      throw new RuntimeError("not-running", `The process reads no more: ${describe(cause)}.`, { cause });
    }
  }

  /** Half-closing a terminal's stream would end the stream and leave the process. */
  async end(): Promise<void> {
    if (this.#state !== "running") return;
    if (this.#tty) await this.#started.wire.write(END_OF_FILE).catch(() => {});
    else await this.#started.wire.end();
  }

  async resize(size: Size): Promise<void> {
    if (this.#state === "running" && this.#tty) await this.#started.resizer.resize(size);
  }

  async signal(name: string): Promise<void> {
    const signal = toSignal(name);
    if (this.#state === "running") {
      await this.#parts.killer.signal(this.#started.record, signal, this.#started.life.signal);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    if (this.#state === "ended") return;
    this.#state = "closing";
    const gone = await this.#parts.killer.end(this.#started.record);
    this.#started.life.abort();
    this.#settle(gone ? await this.#status(AbortSignal.timeout(STATUS_TIMEOUT)) : { unknown: "it could not be ended" });
    this.#state = "ended";
    this.#parts.open.delete(this);
  }

  /** A broken stream says nothing about the process: only the engine's own word counts, and only after all output. */
  async #outputEnded(error: unknown): Promise<void> {
    if (this.#state !== "running") return;
    if (error !== undefined) return this.#settle({ unknown: describe(error) });
    const status = await this.#status(this.#started.life.signal);
    if (this.#state !== "running") return;
    this.#settle(status);
    if ("unknown" in status) return;
    this.#state = "ended";
    this.#parts.open.delete(this);
    this.#started.wire.destroy();
    await this.#parts.killer.forget(this.#started.record);
  }

  async #status(signal: AbortSignal): Promise<ExitStatus> {
    const { execId } = this.#started.record;
    try {
      const code = await waitForEnd(this.#parts.engine, execId, signal);
      return code === undefined ? { unknown: "the engine was restarted, or the container is gone" } : { code };
    } catch (error) {
      return { unknown: describe(error) };
    }
  }
}
