/** What a hundred clients that stop reading cost the agent, and everyone else. */

import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { Running } from "../command.ts";
import type { Figure } from "../figure.ts";
import type { Ctl } from "../ours/ctl.ts";
import { lineOf, roundTrips } from "../probes/echo.ts";
import { WEB } from "../stage.ts";
import { median } from "../statistics.ts";

/** One half goes on answering pings; the other stands still altogether, its sockets unread. */
const READERS = 100;
/** Mebibytes that the agent may take up. */
const LIMIT = 256;
const COUNT = 1_000;
/** Milliseconds between two looks at the agent's memory, and at its sessions. */
const LOOK = 100;
/** Milliseconds until everything that the readers opened must be gone. */
const GONE_LIMIT = 15_000;

/** Here the peer is the limit for the memory, and the same agent without the readers for the latency. */
export const stalledReaders: Figure = {
  about: "an agent with a hundred clients that stopped reading a firehose, against the same agent without them",
  measures: [
    { name: "stalled-readers", unit: "MiB", better: "lower", bound: 1 },
    { name: "stalled-readers-latency", unit: "us", better: "lower", bound: 2 },
  ],
  async open(stage) {
    await stage.web();
    const log = await stage.longLog();
    const ctl = await stage.ctl();
    return {
      ours: () => amongStalled(ctl, log),
      peer: async () => [LIMIT, await keystroke(ctl)],
      [Symbol.asyncDispose]: async () => {},
    };
  },
};

async function amongStalled(ctl: Ctl, log: string): Promise<number[]> {
  const memory: number[] = [];
  // What other figures have left behind may still wait for its client.
  const before = await ctl.sessions();
  const latency = await withReaders(ctl, log, async () => {
    const looking = new AbortController();
    const looks = watchMemory(ctl.agentPid, looking.signal);
    const time = await keystroke(ctl);
    looking.abort();
    memory.push(...(await looks));
    return time;
  });
  await readersGone(ctl, before);
  return [Math.max(...memory), latency];
}

async function withReaders<T>(ctl: Ctl, log: string, work: () => Promise<T>): Promise<T> {
  const readers = ctl.program("readers.ts", String(READERS / 2), WEB, log);
  await using patient = new Running(readers);
  await patient.ready(/stalled/);
  await using frozen = new Running(readers);
  await frozen.ready(/stalled/);
  frozen.child.kill("SIGSTOP");
  try {
    return await work();
  } finally {
    frozen.child.kill("SIGCONT");
  }
}

/** Microseconds. */
async function keystroke(ctl: Ctl): Promise<number> {
  await using cat = new Running(ctl.command("exec", "-i", WEB, "cat"));
  return median(await roundTrips(lineOf(cat), { count: COUNT, pause: 1 }));
}

/** Mebibytes at each look, until told to stop. */
async function watchMemory(pid: number, signal: AbortSignal): Promise<number[]> {
  const looks: number[] = [];
  while (!signal.aborted) {
    const status = await readFile(`/proc/${pid}/status`, "utf8");
    looks.push(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
    await delay(LOOK);
  }
  return looks;
}

/** The next sample must not pay for what this one left behind. */
async function readersGone(ctl: Ctl, before: number): Promise<void> {
  const limit = performance.now() + GONE_LIMIT;
  while ((await ctl.sessions()) > before) {
    if (performance.now() > limit)
      throw new Error(`sessions of readers that left are still open after ${GONE_LIMIT} ms`);
    await delay(LOOK);
  }
}
