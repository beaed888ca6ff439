/** What the engine knows about an exec: whether it runs, as which process of the host, how it ended. */

import { wait } from "../../../lib/wait.ts";
import { RuntimeError } from "../runtime.ts";
import type { Engine } from "./engine.ts";

/** Milliseconds between looks at a start that gives no sign: it takes 30 to 60, and every look costs the engine about one. */
const FIRST_LOOK = 30;
const NEXT_LOOK = 10;
/** Milliseconds between looks when something has happened already. */
const POLL = 4;
/** Looks, after which an exec that is neither starting nor started will not start any more. */
const MAX_IDLE_POLLS = 250;
/** Milliseconds up to which the looks at a process that goes on without an output stream become rarer. */
const MAX_END_POLL = 1000;

export interface ExecState {
  Running: boolean;
  ExitCode: number | null;
  /** The host's pid of its process; 0 before it started, and for ever if it could not start. Podman's is 0 after its end too. */
  Pid: number;
}

/** Undefined when the engine does not know the exec (any more). */
export async function inspectExec(engine: Engine, id: string, signal: AbortSignal): Promise<ExecState | undefined> {
  try {
    const { exitCode } = await engine.dialect(signal);
    const answer = await engine.call(signal, (docker, abortSignal) => docker.getExec(id).inspect({ abortSignal }));
    return { Running: answer.Running, Pid: answer.Pid, ExitCode: exitCode(answer) };
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return undefined;
    throw error;
  }
}

export interface StartWait {
  id: string;
  /** Resolves when the exec's stream says something or ends: then it is worth to look. */
  sign?: Promise<void>;
  signal: AbortSignal;
}

/** Resolves once the process runs or the attempt is over (then Pid is 0): the engine answers the start before it starts. */
export async function waitForStart(engine: Engine, { id, sign, signal }: StartWait): Promise<ExecState> {
  let seen = false;
  let over = false;
  const watched = sign?.then(() => {
    seen = true;
  });
  for (let idle = 0, delay = FIRST_LOOK; ; delay = seen ? POLL : NEXT_LOOK) {
    await Promise.race(watched && !seen ? [wait(delay, signal), watched] : [wait(delay, signal)]);
    const state = await inspectExec(engine, id, signal);
    if (!state) throw new RuntimeError("not-found", "The container or the exec is gone.");
    if (state.Pid > 0) return state;
    if (!state.Running && state.ExitCode !== null) {
      // An engine may write down that it is over just before it writes down which process it was.
      if (over) return state;
      over = true;
    }
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
