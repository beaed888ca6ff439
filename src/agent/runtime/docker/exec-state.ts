/** What the engine knows about an exec: whether it runs, as which process of the host, how it ended. */

import { wait } from "../../../lib/wait.ts";
import { RuntimeError } from "../runtime.ts";
import type { Engine } from "./engine.ts";

/** Milliseconds between looks: an exec takes 30 to 60 to start, and every look costs the engine about one. */
const FIRST_POLL = 10;
const POLL = 4;
/** Looks, after which an exec that is neither starting nor started will not start any more. */
const MAX_IDLE_POLLS = 250;
/** Milliseconds up to which the looks at a process that goes on without an output stream become rarer. */
const MAX_END_POLL = 1000;

export interface ExecState {
  Running: boolean;
  ExitCode: number | null;
  /** The host's pid of its process; 0 before it started, and for ever if it could not start. */
  Pid: number;
}

/** Undefined when the engine does not know the exec (any more). */
export async function inspectExec(engine: Engine, id: string, signal: AbortSignal): Promise<ExecState | undefined> {
  try {
    return await engine.call(signal, (docker, abortSignal) => docker.getExec(id).inspect({ abortSignal }));
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return undefined;
    throw error;
  }
}

/** Resolves once the process runs or the attempt is over (then Pid is 0): the engine answers the start before it starts. */
export async function waitForStart(engine: Engine, id: string, signal: AbortSignal): Promise<ExecState> {
  for (let idle = 0, delay = FIRST_POLL; ; delay = POLL) {
    await wait(delay, signal);
    const state = await inspectExec(engine, id, signal);
    if (!state) throw new RuntimeError("not-found", "The container or the exec is gone.");
    if (state.Pid > 0 || (!state.Running && state.ExitCode !== null)) return state;
    idle = state.Running ? 0 : idle + 1;
    if (idle > MAX_IDLE_POLLS) return state;
  }
}

/** Resolves with the exit status once the process has ended, undefined if the engine has forgotten it. */
export async function waitForEnd(engine: Engine, id: string, signal: AbortSignal): Promise<number | undefined> {
  for (let delay = POLL; ; delay = Math.min(delay * 2, MAX_END_POLL)) {
    const state = await inspectExec(engine, id, signal);
    if (!state) return undefined;
    if (!state.Running && state.ExitCode !== null) return state.ExitCode;
    await wait(delay, signal);
  }
}
