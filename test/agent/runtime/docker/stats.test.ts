import assert from "node:assert/strict";
import { suite, test } from "node:test";
import * as z from "zod/mini";
import { type RawStats, toStats } from "../../../../src/agent/runtime/docker/stats.ts";
import { StatsView } from "../../../../src/protocol/stats.ts";

/** Half of one processor of four, in the second between two looks. */
const CPU = {
  precpu_stats: { cpu_usage: { total_usage: 7_000_000_000 }, system_cpu_usage: 100_000_000_000 },
  cpu_stats: { cpu_usage: { total_usage: 7_500_000_000 }, system_cpu_usage: 104_000_000_000, online_cpus: 4 },
} satisfies RawStats;

suite("the engine's figures", () => {
  test("of cgroup v1 leave out the idle files of the groups below too, and count processors where no number is told", () => {
    const { online_cpus: _, ...cpu } = CPU.cpu_stats;
    const stats = toStats({
      ...CPU,
      cpu_stats: { ...cpu, cpu_usage: { ...cpu.cpu_usage, percpu_usage: [1, 2, 3, 4] } },
      memory_stats: { usage: 5_000, limit: 9_000, stats: { inactive_file: 1, total_inactive_file: 2_000 } },
      blkio_stats: {
        io_service_bytes_recursive: [
          { op: "Read", value: 10 },
          { op: "Write", value: 20 },
          { op: "Read", value: 1 },
          { op: "Total", value: 31 },
        ],
      },
      networks: { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 } },
      pids_stats: { current: 3 },
    });
    assert.deepEqual(stats, {
      cpu: 50,
      memory: { used: 3_000, limit: 9_000 },
      network: { received: 11, sent: 22 },
      block: { read: 11, written: 20 },
      pids: 3,
    });
  });

  test("of cgroup v2 have no such sums, and small letters", () => {
    const stats = toStats({
      ...CPU,
      memory_stats: { usage: 5_000, limit: 9_000, stats: { inactive_file: 1_000, anon: 4_000 } },
      blkio_stats: {
        io_service_bytes_recursive: [
          { op: "read", value: 10 },
          { op: "write", value: 20 },
        ],
      },
    });
    assert.deepEqual([stats.cpu, stats.memory.used, stats.block], [50, 4_000, { read: 10, written: 20 }]);
  });

  test("that are no numbers are 0, and never endless", () => {
    const wrong = [null, true, "7", {}, [], Number.POSITIVE_INFINITY, Number.MAX_VALUE];
    for (const value of wrong) {
      const raw = {
        cpu_stats: { cpu_usage: { total_usage: value }, system_cpu_usage: value, online_cpus: value },
        memory_stats: { usage: value, limit: value, stats: { inactive_file: value } },
        networks: { eth0: { rx_bytes: value, tx_bytes: value }, eth1: { rx_bytes: value, tx_bytes: value } },
        blkio_stats: { io_service_bytes_recursive: [{ op: "read", value }] },
        pids_stats: { current: value },
      };
      const stats = toStats(raw as unknown as RawStats);
      z.parse(z.omit(StatsView, { id: true, name: true }), stats);
      assert.ok(Number.isFinite(stats.cpu) && Number.isFinite(stats.memory.used));
    }
  });

  test("that are missing or run backwards are 0", () => {
    const nothing = { cpu: 0, memory: { used: 0, limit: 0 }, network: { received: 0, sent: 0 }, pids: 0 };
    assert.deepEqual(toStats({}), { ...nothing, block: { read: 0, written: 0 } });
    assert.equal(toStats({ cpu_stats: CPU.precpu_stats, precpu_stats: CPU.cpu_stats }).cpu, 0);
    assert.equal(toStats({ memory_stats: { usage: 5, stats: { inactive_file: 6 } } }).memory.used, 5);
  });
});
