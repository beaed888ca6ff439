/** Ends an exec's processes from inside the container's process namespace, where host pids are out of reach. */

import { RuntimeError } from "../runtime.ts";
import { rawInspect } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";
import { inspectExec, waitForEnd } from "./exec-state.ts";
import { helperLabels } from "./helper-label.ts";
import type { ExecRecord } from "./journal.ts";

/** The environment variable that everything an exec starts inherits; only set where host pids are out of reach. */
export const MARKER_NAME = "FAIRLEAD_EXEC";

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
  sleep 0.7 || sleep 1
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
    : await runInside(engine, record, { command, signal });
  if (code !== 0 && code !== 3)
    throw new RuntimeError("engine-error", `The helper container ended with status ${code}.`);
  const state = signals.length > 1 ? await inspectExec(engine, record.execId, signal) : undefined;
  return code === 0 && !state?.Running;
}

async function isRunning(engine: Engine, id: string, signal: AbortSignal): Promise<boolean> {
  try {
    return (await rawInspect(engine, id, signal)).State.Running;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return false;
    throw error;
  }
}

/** As root with all rights, because other users' environments cannot be read otherwise; where that is forbidden, as the exec's user. */
async function runInside(engine: Engine, record: ExecRecord, run: { command: string[]; signal: AbortSignal }) {
  const failures: unknown[] = [];
  for (const rights of [{ User: "0", Privileged: true }, record.user ? { User: record.user } : {}]) {
    const code = await runExec(engine, record.containerId, { ...run, rights }).catch(
      (error) => void failures.push(error),
    );
    if (code === 0 || code === 3) return code;
  }
  run.signal.throwIfAborted();
  const words = `Its processes cannot be reached from here: this host does not see the engine's processes, there is no helper_image, and the container's own shell did not do it. ${describe(failures.at(-1))}`;
  throw new RuntimeError("unsupported", words, { cause: failures.at(-1) });
}

async function runExec(
  engine: Engine,
  id: string,
  { command, rights, signal }: { command: string[]; rights: object; signal: AbortSignal },
): Promise<number> {
  const exec = await engine.call(signal, (docker, abortSignal) =>
    docker.getContainer(id).exec({ Cmd: command, ...rights, abortSignal }),
  );
  await engine.call(signal, (_, abortSignal) => exec.start({ Detach: true, abortSignal }));
  return (await waitForEnd(engine, exec.id, signal)) ?? -1;
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
      Labels: helperLabels("kill"),
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
