/** What a container uses, out of the engine's figures, computed as `docker stats` does. */

import { giveUpAfter } from "../../../net/give-up.ts";
import { RuntimeError, type Stats } from "../runtime.ts";
import { requireId } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { numberOf, textOf } from "./fields.ts";
import { jsonLines } from "./json-lines.ts";

/** The engine writes this instead of a time while the container does not run. */
const NO_TIME = "0001-01-01T00:00:00Z";

interface RawCpu {
  cpu_usage?: { total_usage?: number; percpu_usage?: number[] | null };
  /** Of the whole host; absent before the first look. */
  system_cpu_usage?: number;
  online_cpus?: number;
}

/** As far as it is read. The engine's answer is input: everything may be missing, and what is no number counts as 0. */
export interface RawStats {
  read?: string;
  cpu_stats?: RawCpu;
  precpu_stats?: RawCpu;
  memory_stats?: { usage?: number; limit?: number; stats?: Record<string, number> | null };
  networks?: Record<string, { rx_bytes?: number; tx_bytes?: number }> | null;
  blkio_stats?: { io_service_bytes_recursive?: { op?: string; value?: number }[] | null };
  pids_stats?: { current?: number };
}

/** As {@link Runtime.stats}. The first comes after two looks of the engine: one alone tells nothing about the processor. */
export async function* containerStats(
  engine: Engine,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Stats, void, undefined> {
  requireId(id);
  const wire = await engine.stream({ method: "GET", path: `/containers/${id}/stats?stream=1` }, signal);
  const words = `The engine at ${engine.endpoint.host} has not told for ${engine.timeout / 1_000} s what containers use.`;
  const silent = () => wire.destroy(new RuntimeError("engine-unavailable", words));
  try {
    for await (const { value } of neverSilent(jsonLines(wire.body()), engine.timeout, silent)) {
      if (typeof value !== "object" || value === null)
        throw new RuntimeError("engine-error", "The engine's figures cannot be read.");
      const raw: RawStats = value;
      if (raw.read === NO_TIME) return;
      if (raw.precpu_stats?.system_cpu_usage) yield toStats(raw);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

/** An engine that tells something each second, and does not any more, hangs. Only time spent waiting for it counts. */
async function* neverSilent<T>(all: AsyncGenerator<T, void, void>, ms: number, silent: () => void): AsyncGenerator<T> {
  try {
    for (;;) {
      const callOff = giveUpAfter(ms, silent);
      const next = await all.next().finally(callOff);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    await all.return();
  }
}

export function toStats(raw: RawStats): Stats {
  const networks = Object.values(raw.networks ?? {});
  const pieces = raw.blkio_stats?.io_service_bytes_recursive ?? [];
  const moved = (initial: string) =>
    sum(pieces.map(({ op, value }) => (textOf(op).toLowerCase().startsWith(initial) ? value : 0)));
  return {
    cpu: numberOf(cpuPercent(raw.cpu_stats ?? {}, raw.precpu_stats ?? {})),
    memory: { used: numberOf(memoryUsed(raw)), limit: numberOf(raw.memory_stats?.limit) },
    network: { received: sum(networks.map((it) => it.rx_bytes)), sent: sum(networks.map((it) => it.tx_bytes)) },
    block: { read: moved("r"), written: moved("w") },
    pids: numberOf(raw.pids_stats?.current),
  };
}

/** The container's share of the time of all processors since the look before, as if there were one. */
function cpuPercent(now: RawCpu, before: RawCpu): number {
  const used = (now.cpu_usage?.total_usage ?? 0) - (before.cpu_usage?.total_usage ?? 0);
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const processors = now.online_cpus || (now.cpu_usage?.percpu_usage?.length ?? 1);
  return used > 0 && passed > 0 ? (used / passed) * processors * 100 : 0;
}

/** Without files that are cached and not in use: cgroup v1 tells them with those of the groups below, v2 has only such sums. */
function memoryUsed({ memory_stats: { usage = 0, stats } = {} }: RawStats): number {
  const idle = stats?.["total_inactive_file"] ?? stats?.["inactive_file"] ?? 0;
  return idle < usage ? usage - idle : usage;
}

function sum(numbers: readonly unknown[]): number {
  return numbers.reduce<number>((total, number) => total + numberOf(number), 0);
}
