/** What is told of this machine, compared with what else tells it. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { HostMeter, trafficOf } from "../../../src/agent/uplink/metrics/host.ts";

const path = tmpdir();

test("processes are counted, and not their threads", async () => {
  const { processes = 0 } = await new HostMeter({ path, contained: false }).look();
  const listed = execFileSync("ps", ["-e", "-o", "pid="]).toString().trim().split("\n").length;
  assert.ok(processes > listed / 2 && processes < listed * 2, `${processes} of ${listed}`);
  const [, threads] = /\d+\/(\d+)/.exec(execFileSync("cat", ["/proc/loadavg"]).toString()) ?? [];
  assert.ok(processes < Number(threads), `${processes} of ${threads} threads`);
});

test("in a container of its own the agent does not take its processes for the host's", async () => {
  assert.equal((await new HostMeter({ path, contained: true }).look()).processes, undefined);
});

test("nor the container's network, unless it has the host's", () => {
  const link = (name: string, received: number, sent: number) =>
    `  ${name}: ${[received, 1, 0, 0, 0, 0, 0, 0, sent, 1, 0, 0, 0, 0, 0, 0].join(" ")}\n`;
  const head = "Inter-|   Receive\n face |bytes\n";
  const own = `${head}${link("lo", 7, 7)}${link("eth0", 10, 20)}`;
  const host = `${own}${link("docker0", 5, 5)}${link("veth1a2b3c", 6, 6)}`;
  assert.deepEqual(trafficOf(own, false), [10, 20]);
  assert.equal(trafficOf(own, true), undefined);
  for (const contained of [false, true]) assert.deepEqual(trafficOf(host, contained), [10, 20]);
  assert.equal(trafficOf("", false), undefined);
});
