/** What is told of this machine, compared with what else tells it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { HostMeter } from "../../../src/agent/uplink/metrics/host.ts";

const path = tmpdir();

test("processes are counted, and not their threads", async () => {
  const { processes = 0 } = await new HostMeter({ path, contained: false }).look();
  const listed = execFileSync("ps", ["-e", "-o", "pid="]).toString().trim().split("\n").length;
  assert.ok(processes > listed / 2 && processes < listed * 2, `${processes} of ${listed}`);
  const [, threads] = /\d+\/(\d+)/.exec(execFileSync("cat", ["/proc/loadavg"]).toString()) ?? [];
  assert.ok(processes < Number(threads), `${processes} of ${threads} threads`);
});

test("in a container of its own the agent takes neither that one's network nor its processes for the host's", async () => {
  const told = async (contained: boolean) => {
    const meter = new HostMeter({ path, contained });
    await meter.look();
    return Object.keys(await meter.look());
  };
  const [free, held] = [await told(false), await told(true)];
  const onlyFree = free.filter((key) => !held.includes(key));
  assert.deepEqual(onlyFree.toSorted(), ["processes", "received", "sent"]);
});
