/** Starts a process in a container, up to the moment when it runs or the engine says why it does not. */

import { type ExecSpec, RuntimeError, type Size } from "../runtime.ts";
import { inspectContainer, notRunning } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { abortable } from "./deadline.ts";
import { Demux } from "./demux.ts";
import { quote } from "./errors.ts";
import { type ExecState, waitForStart } from "./exec-state.ts";
import { MARKER_NAME } from "./inside-kill.ts";
import type { ExecRecord } from "./journal.ts";
import type { Killer } from "./kill.ts";
import { Resizer } from "./resizer.ts";
import type { Wire } from "./wire.ts";

/** Keys that end a session on the engine's side: three nobody types, because the default is Emacs' and the shell's ^P ^Q. */
export const DETACH_KEYS = "ctrl-^,ctrl-_,ctrl-^";
/** Exit statuses from here on also stand for a command that could not start. */
const FIRST_START_FAILURE = 125;
/** Bytes of the engine's words about a failed start. */
const MAX_WORDS = 4096;

export interface StartedExec {
  wire: Wire;
  record: ExecRecord;
  resizer: Resizer;
  /** Cuts the stream and every call about this exec. */
  life: AbortController;
}

/** Throws RuntimeError; a command that is not there or not executable has codes of its own. */
export async function startExec(
  { engine, killer }: { engine: Engine; killer: Killer },
  { containerId, spec }: { containerId: string; spec: ExecSpec },
  signal: AbortSignal,
): Promise<StartedExec> {
  const marker = await killer.marker(containerId, signal);
  const execId = await createExec(engine, { containerId, spec, marker }, signal);
  const record = await killer.note({
    execId,
    containerId,
    ...(marker ? { marker } : {}),
    ...(spec.user ? { user: spec.user } : {}),
    ...(spec.session ? { session: spec.session } : {}),
  });
  const life = new AbortController();
  const starting = runExec(engine, { execId, spec }, life);
  try {
    const parts = await abortable(starting, signal);
    return { ...parts, life, record: await killer.complete(record, parts.pid) };
  } catch (error) {
    if (isRefusal(error)) await killer.forget(record);
    else void killer.endStarting(record, starting).finally(() => life.abort());
    throw error;
  }
}

async function runExec(engine: Engine, { execId, spec }: { execId: string; spec: ExecSpec }, life: AbortController) {
  const wire = await hijack(engine, { execId, spec }, life.signal).catch(refused);
  const { resizePause, startFailure } = await engine.dialect(life.signal);
  const resizer = new Resizer((size) => sendSize(engine, { execId, size }, life.signal), resizePause);
  // Engines before API 1.42 hold this until the process is there: nothing else brings the size that close to its start.
  if (spec.tty && spec.size) void resizer.resize(spec.size);
  const state = await waitForStart(engine, { id: execId, sign: wire.ready(), signal: life.signal });
  if (state.Pid === 0) await checkStart(wire, { tty: spec.tty, state, startFailure });
  // A busy engine can lose the early one.
  if (spec.tty && spec.size) void resizer.resize(spec.size);
  return { wire, resizer, pid: state.Pid };
}

/**
 * An engine may tell no pid any more of what was over at once, and a shell has the statuses of failed starts, too: what the
 * stream says decides, and stays there for the reader.
 */
async function checkStart(
  wire: Wire,
  { tty, state, startFailure }: { tty: boolean; state: ExecState; startFailure: RegExp },
): Promise<void> {
  const { ExitCode: code } = state;
  if (code !== null && code < FIRST_START_FAILURE) return;
  const words = wordsOf(await wire.peek(MAX_WORDS), tty);
  if (startFailure.test(words)) throw failure(quote(words));
  if (code === null) throw failure("The engine did not start the command, and did not say why.");
}

async function createExec(
  engine: Engine,
  { containerId, spec, marker }: { containerId: string; spec: ExecSpec; marker: string | undefined },
  signal: AbortSignal,
): Promise<string> {
  const options = {
    Cmd: spec.command,
    Tty: spec.tty,
    AttachStdin: spec.stdin,
    AttachStdout: true,
    AttachStderr: true,
    DetachKeys: DETACH_KEYS,
    Env: [...(spec.env ?? []), ...(marker ? [`${MARKER_NAME}=${marker}`] : [])],
    ...(spec.user ? { User: spec.user } : {}),
    ...(spec.workdir ? { WorkingDir: spec.workdir } : {}),
    ...consoleSize(spec),
  };
  try {
    const exec = await engine.call(signal, (docker, abortSignal) =>
      docker.getContainer(containerId).exec({ ...options, abortSignal }),
    );
    return exec.id;
  } catch (error) {
    if (!(error instanceof RuntimeError && error.code === "not-running")) throw error;
    const container = await inspectContainer(engine, containerId, signal);
    // It may have been started meanwhile.
    throw container.state === "running" ? error : notRunning(container);
  }
}

/** The terminal must be asked for here too, else its bytes come in frames. */
function hijack(engine: Engine, { execId, spec }: { execId: string; spec: ExecSpec }, signal: AbortSignal) {
  const body = { Detach: false, Tty: spec.tty, ...consoleSize(spec) };
  return engine.stream({ method: "POST", path: `/exec/${execId}/start`, body, upgrade: true }, signal);
}

/** Engines before API 1.42 ignore it. */
function consoleSize({ tty, size }: ExecSpec): { ConsoleSize?: [number, number] } {
  return tty && size ? { ConsoleSize: [size.rows, size.cols] } : {};
}

function sendSize(engine: Engine, { execId, size }: { execId: string; size: Size }, signal: AbortSignal) {
  const { rows: h, cols: w } = size;
  return engine.call(signal, (docker, abortSignal) => docker.getExec(execId).resize({ h, w, abortSignal }));
}

/** Podman answers some starts with why they failed. */
function refused(error: unknown): never {
  throw error instanceof RuntimeError && error.code === "engine-error" ? failure(error.message) : error;
}

function failure(words: string): RuntimeError {
  if (/executable file not found|no such file or directory/i.test(words) && !/chdir|cwd/i.test(words)) {
    return new RuntimeError("command-not-found", words);
  }
  if (/chdir|cwd|unable to find (user|group)|no matching entries/i.test(words))
    return new RuntimeError("invalid", words);
  if (/permission denied|not a directory|exec format error/i.test(words)) {
    return new RuntimeError("command-not-executable", words);
  }
  return new RuntimeError("engine-error", words);
}

/** What a stream begins with, its frames taken away where it has some. */
function wordsOf(bytes: Buffer, tty: boolean): string {
  if (tty) return bytes.toString();
  let text = "";
  try {
    new Demux((_, payload) => (text += payload.toString())).push(bytes);
  } catch {
    // The reader of the stream says what is wrong with it.
  }
  return text;
}

/** The engine itself said that nothing runs. */
function isRefusal(error: unknown): boolean {
  return error instanceof RuntimeError && error.code !== "engine-unavailable" && error.code !== "unsupported";
}
