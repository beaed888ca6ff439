/** stats. */

import assert from "node:assert/strict";
import type { Stats } from "../../../src/agent/runtime/runtime.ts";
import { parseSize } from "../../../src/lib/size.ts";
import { until } from "../../support/until.ts";
import type { Rig } from "../rig.ts";

const UNKNOWN = "0".repeat(64);
const MIB = 1024 * 1024;
/** Uses a third of a processor, 20 MiB of cached files and two processes. */
const BUSY = {
  command: ["sh", "-c", "dd if=/dev/zero of=/file bs=1M count=20; sleep 1000000 & while :; do :; done"],
  args: ["--cpus", "0.3", "--memory", "64m"],
};

export function statsContract(rig: Rig): void {
  const { signal } = rig;

  rig.verb("stats", "tells what the engine's own client tells", async () => {
    const id = await rig.container(BUSY);
    // Each looks at a second of its own, and on a busy machine the container gets less in one than in the other.
    const [own, theirs] = await until("the same use of the processor", async () => {
      const both = [await stats(rig, id), await clientStats(rig, id)] as const;
      return Math.abs(both[0].cpu - both[1].cpu) <= 15 && both;
    });
    // Asked at different moments; what the kernel counts as used of 20 MiB of files changes meanwhile.
    near(own.memory.used, theirs.memory.used, 8 * MIB);
    assert.ok(own.memory.used < 20 * MIB, "cached files do not count");
    assert.equal(own.memory.limit, 64 * MIB);
    near(own.network.received, theirs.network.received, 10_000);
    near(own.block.written, theirs.block.written, 25 * MIB);
    assert.equal(own.pids, 2);
    assert.equal(theirs.pids, 2);
  });

  rig.verb("stats", "go on about once a second and end when the container stops", async () => {
    const id = await rig.container();
    const times: number[] = [];
    const processes: number[] = [];
    for await (const { pids } of rig.runtime.stats(id, signal)) {
      processes.push(pids);
      times.push(performance.now());
      if (times.length === 3) await rig.engine.docker("kill", id);
    }
    // While the first ones were taken the container may still have begun.
    assert.deepEqual(processes.slice(1, 3), [1, 1]);
    assert.ok((times[2] ?? 0) - (times[0] ?? 0) > 1_000, times.join(" "));
  });

  rig.verb("stats", "end without a figure for a container that does not run", async () => {
    const id = await rig.engine.docker("create", "busybox", "true");
    for await (const _ of rig.runtime.stats(id, signal)) assert.fail("there is nothing to tell");
    await rig.engine.docker("rm", id);
  });

  rig.verb("stats", "say not-found for what does not exist", async () => {
    for (const id of [UNKNOWN, "web", "../../info"])
      await assert.rejects(stats(rig, id), { name: "RuntimeError", code: "not-found" }, id);
  });

  rig.verb("stats", "end with the signal", async () => {
    const id = await rig.container();
    const stop = new AbortController();
    const read = async () => {
      for await (const _ of rig.runtime.stats(id, stop.signal)) stop.abort();
    };
    await assert.rejects(read, { name: "AbortError" });
  });
}

/** The second figures: the first may have been taken while the container still began. */
async function stats(rig: Rig, id: string): Promise<Stats> {
  let seen = 0;
  for await (const stats of rig.runtime.stats(id, rig.signal)) if (++seen === 2) return stats;
  throw new Error("the container stopped");
}

/** `0.5%`, `1.2MiB / 64MiB`, `876B / 0B`, `0B / 20MB`, `2`. */
async function clientStats(rig: Rig, id: string): Promise<Stats> {
  const format = "{{.CPUPerc}}\t{{.MemUsage}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}";
  const line = await rig.engine.docker("stats", "--no-stream", "--format", format, id);
  const [cpu = "", memory = "", network = "", block = "", pids = ""] = line.split("\t");
  const sizes = (text: string) => text.split(" / ").map(parseSize) as [number, number];
  const [used, limit] = sizes(memory);
  const [received, sent] = sizes(network);
  const [read, written] = sizes(block);
  return {
    cpu: Number.parseFloat(cpu),
    memory: { used, limit },
    network: { received, sent },
    block: { read, written },
    pids: Number(pids),
  };
}

function near(own: number, theirs: number, margin: number): void {
  assert.ok(Math.abs(own - theirs) <= margin, `${own} is not within ${margin} of ${theirs}`);
}
