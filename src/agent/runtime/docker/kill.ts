/** Ends execs with everything they started. The engine has no call for that, and does not do it when its client leaves. */

import { randomUUID } from "node:crypto";
import { wait } from "../../../lib/wait.ts";
import { RuntimeError } from "../runtime.ts";
import { rawInspect } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";
import { waitForStart } from "./exec-state.ts";
import { canSignal, hostNow, ProcessTree, startOf } from "../host/processes.ts";
import { killInside } from "./inside-kill.ts";
import { type ExecRecord, Journal } from "./journal.ts";
import type { Log } from "./log.ts";
import type { HelperImage } from "./own-image.ts";
import { endTree } from "../host/process-end.ts";

/** Milliseconds for what needs the engine. */
const ENGINE_TIMEOUT = 10_000;

export interface KillerOptions {
  stateDir: string;
  helperImage: HelperImage;
  log: Log;
}

export class Killer {
  readonly #engine: Engine;
  readonly #journal: Journal;
  readonly #options: KillerOptions;
  readonly #owned = new Set<string>();
  readonly #ending = new Set<Promise<boolean>>();
  #onHost = false;

  constructor(engine: Engine, options: KillerOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#journal = new Journal(`${options.stateDir}/execs`);
  }

  /** A value for the environment of an exec in this container, where host pids cannot be signalled. */
  async marker(containerId: string, signal: AbortSignal): Promise<string | undefined> {
    if (!this.#onHost) {
      const { State: state } = await rawInspect(this.#engine, containerId, signal);
      // Only a yes is remembered: a container that stops at this moment looks like one that cannot be seen.
      this.#onHost = canSignal(state.Pid, containerId);
    }
    return this.#onHost ? undefined : randomUUID();
  }

  /** To be called before the exec starts. A full disk does not forbid a shell; the log tells that nothing was noted. */
  async note(exec: Omit<ExecRecord, "host">): Promise<ExecRecord> {
    const record = exec.marker ? exec : { ...exec, host: hostNow() };
    this.#owned.add(exec.execId);
    await this.#write(record);
    return record;
  }

  /** To be called once it runs; gives the record to use from now on. */
  async complete(record: ExecRecord, pid: number): Promise<ExecRecord> {
    const completed = located(record, pid);
    if (completed !== record) await this.#write(completed);
    return completed;
  }

  /** The exec is over, nothing has to be ended any more. */
  async forget(record: ExecRecord): Promise<void> {
    this.#owned.delete(record.execId);
    await this.#journal.remove(record.execId).catch((error) => this.#warn(record, error));
  }

  /** To the exec's process and everything in its session. */
  async signal(record: ExecRecord, name: NodeJS.Signals, signal: AbortSignal): Promise<void> {
    const tree = treeOf(record);
    if (tree) await tree.signal(name);
    else await this.#killInside(record, [name], signal);
  }

  /** Ends all of it within 5 s. Resolves with whether it is proven to be gone; if not, the journal keeps it. */
  end(record: ExecRecord): Promise<boolean> {
    return this.#tracked(this.#tryEnd(record));
  }

  /** As `end`, of an exec whose caller gave up: an engine that is disturbed while it starts one forgets what it started. */
  endStarting(record: ExecRecord, starting: Promise<unknown>): Promise<boolean> {
    return this.#tracked(this.#afterStart(record, starting));
  }

  /** Ends what earlier agents noted and nobody owns now. */
  async recover(): Promise<void> {
    const records = await this.#journal.list(this.#owned);
    await Promise.all(records.map((record) => this.end(record)));
  }

  /** Resolves when nothing is being ended any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#ending);
  }

  #tracked(work: Promise<boolean>): Promise<boolean> {
    const ending = work.finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    return ending;
  }

  async #afterStart(record: ExecRecord, starting: Promise<unknown>): Promise<boolean> {
    const never = new AbortController().signal;
    await Promise.race([starting.catch(() => {}), wait(ENGINE_TIMEOUT, never)]);
    return this.#tryEnd(record);
  }

  async #tryEnd(record: ExecRecord): Promise<boolean> {
    const signal = AbortSignal.timeout(ENGINE_TIMEOUT);
    try {
      const gone = await this.#end(record, signal);
      if (gone) await this.forget(record);
      else this.#warn(record, "something survived SIGKILL; is the container paused?");
      return gone;
    } catch (error) {
      this.#warn(record, error);
      return false;
    }
  }

  async #end(record: ExecRecord, signal: AbortSignal): Promise<boolean> {
    if (!(await this.#mayRun(record, signal))) return true;
    if (record.marker) return this.#killInside(record, ["SIGHUP", "SIGTERM", "SIGKILL"], signal);
    const tree = treeOf(record) ?? (await this.#locate(record, signal));
    return tree ? endTree(tree) : true;
  }

  /** Every process of a stopped container is gone. While the engine is away a known pid is enough to go on. */
  async #mayRun(record: ExecRecord, signal: AbortSignal): Promise<boolean> {
    if (record.host?.pid) return true;
    try {
      return (await rawInspect(this.#engine, record.containerId, signal)).State.Running;
    } catch (error) {
      if (error instanceof RuntimeError && error.code === "not-found") return false;
      throw error;
    }
  }

  /** For an exec that was abandoned between its start and its completion; undefined if it never ran. */
  async #locate(record: ExecRecord, signal: AbortSignal): Promise<ProcessTree | undefined> {
    const { Pid: pid } = await waitForStart(this.#engine, { id: record.execId, signal });
    if (pid === 0) return undefined;
    const tree = treeOf(located(record, pid));
    if (!tree) throw new RuntimeError("unsupported", `Process ${pid} of the exec cannot be seen from here.`);
    return tree;
  }

  async #killInside(record: ExecRecord, signals: NodeJS.Signals[], signal: AbortSignal): Promise<boolean> {
    const helperImage = await this.#options.helperImage.find(signal);
    return killInside(this.#engine, record, { signals, signal, ...(helperImage ? { helperImage } : {}) });
  }

  async #write(record: ExecRecord): Promise<void> {
    await this.#journal.put(record).catch((error) => this.#warn(record, error));
  }

  #warn({ session, execId, containerId }: ExecRecord, cause: unknown): void {
    this.#options.log.warn(
      { session, execId, containerId, cause: describe(cause) },
      "An exec may outlive its session.",
    );
  }
}

function treeOf({ host, containerId }: ExecRecord): ProcessTree | undefined {
  return host?.pid ? new ProcessTree({ ...host, pid: host.pid }, containerId) : undefined;
}

/** With the pid and, unless the process has ended already and only its children are left, its exact start. */
function located(record: ExecRecord, pid: number): ExecRecord {
  if (!record.host) return record;
  const start = startOf(pid, record.containerId);
  if (start === "elsewhere") return record;
  return { ...record, host: { ...record.host, pid, ...(start === "gone" ? {} : { startTime: start }) } };
}
