/** Ends an exec's processes from inside the container's process namespace, where host pids are out of reach. */

import { wait } from "../../../lib/wait.ts";
import { RuntimeError } from "../runtime.ts";
import { rawInspect } from "./containers.ts";
import type { Engine } from "./engine.ts";
import type { ExecRecord } from "./journal.ts";

/** The environment variable that everything an exec starts inherits; only set where host pids are out of reach. */
export const MARKER_NAME = "FAIRLEAD_EXEC";
/** Milliseconds between two looks at whether the script has ended. */
const POLL = 50;
/** The script needs about three seconds when everything ignores HUP and TERM. */
const MAX_POLLS = 100;

/**
 * sh -c SCRIPT sh MARKER SIGNAL...: signals every process with the marker in its environment and the sessions of those;
 * looks whether they are gone before each further signal. Exit status 0: none left, 3: some are.
 */
const SCRIPT = `
marker=${MARKER_NAME}=$1
shift
session() { read -r stat <"$1/stat" && set -- \${stat##*) } && echo "$4"; }
members() {
  sessions=" "
  for p in /proc/[0-9]*; do
    grep -qs "$marker" "$p/environ" && sessions="$sessions$(session "$p") "
  done
  [ "$sessions" = " " ] && return
  for p in /proc/[0-9]*; do
    case "$sessions" in *" $(session "$p") "*) echo "\${p#/proc/}"; continue ;; esac
    grep -qs "$marker" "$p/environ" && echo "\${p#/proc/}"
  done
}
for signal; do
  pids=$(members 2>/dev/null)
  [ -z "$pids" ] && exit 0
  kill -s "$signal" $pids 2>/dev/null
  kill -s CONT $pids 2>/dev/null
  [ $# -eq 1 ] && exit 0
  sleep 1
done
[ -z "$(members 2>/dev/null)" ] || exit 3
`;

export interface InsideKillOptions {
  /** An image with `sh`, `grep` and `kill` for a helper container; without one the container's own shell is used. */
  helperImage?: string;
  signal: AbortSignal;
}

/** Resolves with whether none is left (for one signal: whether it was sent). Rejects when there is no way to do it. */
export async function killInside(
  engine: Engine,
  record: ExecRecord,
  { signals, helperImage, signal }: InsideKillOptions & { signals: NodeJS.Signals[] },
): Promise<boolean> {
  if (!record.marker) throw new RuntimeError("unsupported", "The exec was started without a marker to find it by.");
  const command = ["sh", "-c", SCRIPT, "sh", record.marker, ...signals.map((name) => name.slice("SIG".length))];
  if (!(await isRunning(engine, record.containerId, signal))) return true;
  const code = helperImage
    ? await runHelper(engine, record.containerId, { command, image: helperImage, signal })
    : await runExec(engine, record.containerId, { command, signal });
  if (code === 0 || code === 3) return code === 0;
  throw new RuntimeError(
    "unsupported",
    "The exec's processes cannot be reached: the engine is on another machine, its container has no shell, and no helper image is configured.",
  );
}

async function isRunning(engine: Engine, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await rawInspect(engine, id, signal)).State.Running;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return false;
    throw error;
  }
}

/** As root with all rights: other users' environments are not readable otherwise. */
async function runExec(
  engine: Engine,
  id: string,
  { command, signal }: { command: string[]; signal: AbortSignal },
): Promise<number> {
  return engine.call(signal, async (docker, abortSignal) => {
    const exec = await docker.getContainer(id).exec({ Cmd: command, User: "0", Privileged: true, abortSignal });
    await exec.start({ Detach: true, abortSignal });
    for (let polls = 0; polls < MAX_POLLS && !abortSignal.aborted; polls++) {
      const state = await exec.inspect({ abortSignal });
      if (!state.Running && state.ExitCode !== null) return state.ExitCode;
      await wait(POLL, abortSignal);
    }
    return -1;
  });
}

async function runHelper(
  engine: Engine,
  id: string,
  { command, image, signal }: { command: string[]; image: string; signal: AbortSignal },
): Promise<number> {
  return engine.call(signal, async (docker, abortSignal) => {
    const helper = await docker.createContainer({
      Image: image,
      Entrypoint: command,
      Cmd: [],
      User: "0",
      Labels: { "fairlead.helper": "kill" },
      HostConfig: { PidMode: `container:${id}`, NetworkMode: "none", CapAdd: ["SYS_PTRACE", "KILL"] },
      abortSignal,
    });
    try {
      await helper.start({ abortSignal });
      return ((await helper.wait({ abortSignal })) as { StatusCode: number }).StatusCode;
    } finally {
      await helper.remove({ force: true });
    }
  });
}
