/**
 * Many hosts on one server over TLS: all get in, report on time, and are back soon after the server was killed, never faster
 * than it can take them. FAIRLEAD_AGENTS asks for another number of hosts (`npm run faults`: 2,000).
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, suite, test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { LIMITS } from "../../src/door/options.ts";
import { NodeList } from "../../src/protocol/node.ts";
import { figuresOf } from "../support/figures.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { Crowd } from "./crowd.ts";
import { Follower } from "./follower.ts";
import { type Usage, usageOf } from "./usage.ts";

const AGENTS = Number(process.env["FAIRLEAD_AGENTS"] ?? 40);
const MANY = AGENTS > 500;
/** Seconds between reports: the usual, or what a quick run can wait for. */
const INTERVAL = MANY ? 10 : 1;
/** Reports that each host makes while it is watched. */
const REPORTS = MANY ? 12 : 3;
/** A report that comes so much after its time is late, and none may be later than the other, in milliseconds. */
const LATE_MS = 1_000;
const LATEST_MS = 2 * INTERVAL * 1_000;
/** All are back within, in milliseconds. */
const BACK_MS = 60_000;
/** Connections a second, with what was saved up before. */
const MAX_RATE = 1.2 * LIMITS.pace.rate;
/** Hosts that are added at a time. */
const ADDERS = 8;
/** Reports of each host that are followed, and milliseconds for the lines that have everything. */
const FOLLOWED = 2;
const FIRST_MS = 3_000;
/** Bytes that a report of a host costs a follower, and one that says what ten containers use. */
const MAX_HOST = 512;
const MAX_USAGE = 4_096;
const PROGRAM = [join(fileURLToPath(new URL("../..", import.meta.url)), "bin/fairlead"), "server"] as const;
const FLAGS = ["--tls", "self-signed", "--heartbeat-interval", `${INTERVAL}s`, "--bootstrap-lifetime", "1h"];

suite(`${AGENTS} hosts on one server`, () => {
  const crowd = new Crowd();
  let server: TestServer;
  let empty: Usage;

  before(async () => {
    server = await startServer({ program: PROGRAM, flags: FLAGS });
    empty = await usageOf(server.pid);
  });
  after(async () => {
    crowd[Symbol.dispose]();
    await server.stop();
  });

  /** Resolves when all have reported since the counting began, and their lines are up. */
  const everybody = () =>
    until(
      "everybody",
      async () => {
        const tally = await crowd.tally();
        return tally.reported === AGENTS && tally.connected === AGENTS && tally;
      },
      { patience: 5 * BACK_MS, every: 500 },
    );

  test("all of them register, report and connect", async (t) => {
    const adding = Date.now();
    const tokens = await addHosts(server);
    const joining = Date.now();
    crowd.join(server.url, tokens);
    await everybody();
    t.diagnostic(`added in ${joining - adding} ms, all there ${Date.now() - joining} ms later`);
  });

  test("their reports come on time", async (t) => {
    const commits = async () => (await figures(server))("fairlead_database_commits_total");
    const [began, committed, since] = [await usageOf(server.pid), await commits(), performance.now()];
    crowd.begin();
    await delay(REPORTS * INTERVAL * 1_000);
    const { gaps, refused } = await crowd.tally();
    const seconds = (performance.now() - since) / 1_000;
    tell(t, { began, now: await usageOf(server.pid), empty, seconds });
    const overdue = gaps.map((gap) => gap - INTERVAL * 1_000);
    const late = overdue.filter((ms) => ms > LATE_MS).length;
    const latest = overdue.reduce((most, ms) => Math.max(most, ms), 0);
    t.diagnostic(`${gaps.length} reports, ${late} more than ${LATE_MS} ms late, the latest ${latest} ms`);
    t.diagnostic(`${(await commits()) - committed} transactions; the event loop late by ${await lag(server)}`);
    assert.deepEqual(refused, {});
    assert.ok(gaps.length >= AGENTS * (REPORTS - 1), "reports are missing");
    assert.ok(latest < LATEST_MS, "a report came too late");
    const { nodes } = NodeList.parse(await server.atHome({ path: "/api/v1/nodes" }));
    assert.equal(nodes.filter(({ status }) => status === "Ready").length, AGENTS);
  });

  test("who follows the list of hosts, and what their containers use, is sent what is different", async (t) => {
    using hosts = await Follower.open(server, "/api/v1/nodes?watch=1");
    using usages = await Follower.open(server, "/api/v1/stats?watch=1");
    // The first lines have everything.
    await until("everything", () => hosts.bytes > 0 && usages.bytes > 0);
    await delay(FIRST_MS);
    const [before, began, since] = [[hosts.bytes, usages.bytes], await usageOf(server.pid), performance.now()];
    crowd.begin();
    await delay(FOLLOWED * INTERVAL * 1_000);
    const reports = (await crowd.tally()).gaps.length;
    const seconds = (performance.now() - since) / 1_000;
    const [a, b] = [hosts, usages].map(({ bytes }, i) => bytes - (before[i] ?? 0)) as [number, number];
    const cpu = ((await usageOf(server.pid)).cpu - began.cpu) / seconds;
    t.diagnostic(`${kibibytes(a / seconds)} KiB/s of hosts, ${kibibytes(b / seconds)} KiB/s of what containers use`);
    t.diagnostic(`processor ${(cpu * 100).toFixed(1)} % of one, with the reports`);
    assert.ok(a / reports < MAX_HOST, `${a / reports} bytes for each report of a host`);
    assert.ok(b / reports < MAX_USAGE, `${b / reports} bytes for what each report says of containers`);
  });

  test("all of them are back after the server was killed, and come no faster than it takes them", async (t) => {
    server.kill("SIGKILL");
    await server.exited;
    const killed = Date.now();
    server = await startServer({ program: PROGRAM, flags: FLAGS, before: server });
    const open = Date.now();
    crowd.begin();
    const tally = await everybody();
    const back = Date.now() - open;
    t.diagnostic(`served again after ${open - killed} ms, all back ${back} ms later`);
    const [dials, lines] = [fastest(tally.dials), fastest(tally.lines)];
    t.diagnostic(
      `connections a second at most: ${dials} tried, ${lines} taken; the event loop late by ${await lag(server)}`,
    );
    assert.ok(lines <= MAX_RATE, `${lines} connections were taken in one second`);
    assert.ok(back < BACK_MS, `it took ${back} ms until all were back`);
    const { nodes } = NodeList.parse(await server.atHome({ path: "/api/v1/nodes" }));
    assert.deepEqual(
      nodes.filter(({ status }) => status !== "Ready").map(({ name }) => name),
      [],
    );
  });
});

async function addHosts(server: TestServer): Promise<string[]> {
  const tokens: string[] = [];
  let next = 0;
  const adder = async () => {
    while (next < AGENTS) {
      const body = { name: `host-${next++}` };
      tokens.push((await server.atHome<{ token: string }>({ method: "POST", path: "/api/v1/nodes", body })).token);
    }
  };
  await Promise.all(Array.from({ length: ADDERS }, adder));
  return tokens;
}

/** What the server tells of itself, by series. */
function figures(server: TestServer): Promise<(series: string) => number> {
  return figuresOf({ fetch: async (path) => new Response(await server.atHome<string>({ path })) });
}

/** How late the server's event loop came lately. */
async function lag(server: TestServer): Promise<string> {
  const value = await figures(server);
  const at = (quantile: string) =>
    (value(`fairlead_event_loop_delay_seconds{quantile="${quantile}"}`) * 1_000).toFixed(0);
  return `${at("0.5")} ms at half of all looks, ${at("0.99")} ms at 99 %, ${at("1")} ms at most`;
}

function tell(
  t: TestContext,
  { began, now, empty, seconds }: Record<"began" | "now" | "empty", Usage> & { seconds: number },
) {
  const each = (now.memory - empty.memory) / AGENTS / 1_024;
  const cpu = (now.cpu - began.cpu) / seconds;
  t.diagnostic(`memory ${mebibytes(now.memory)} MiB, of that ${each.toFixed(0)} KiB for each host`);
  t.diagnostic(
    `processor ${(cpu * 100).toFixed(1)} % of one, ${((cpu / AGENTS) * 1e6).toFixed(0)} us a second and host`,
  );
  t.diagnostic(
    `${((now.written - began.written) / seconds / 1_024).toFixed(1)} KiB/s written, ${now.files} open files`,
  );
}

function kibibytes(bytes: number): string {
  return (bytes / 1_024).toFixed(1);
}

function mebibytes(bytes: number): string {
  return (bytes / 1_048_576).toFixed(0);
}

/** The most in one second. */
function fastest(seconds: Record<string, number>): number {
  return Math.max(0, ...Object.values(seconds));
}
