/** logs. */

import assert from "node:assert/strict";
import { type LogEntry, LogInterrupted, type LogOptions } from "../../../src/agent/runtime/runtime.ts";
import { until } from "../../support/until.ts";
import { type Rig, sinceOf } from "../rig.ts";

const ALL: LogOptions = { follow: false, stdout: true, stderr: true };
const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** Whole lines, which an engine may deliver in parts. */
const lines = (entries: LogEntry[]) => text(entries).match(/.*\n|.+$/g) ?? [];
const text = (entries: LogEntry[]) => Buffer.concat(entries.map((entry) => entry.bytes)).toString("latin1");

export function logsContract(rig: Rig): void {
  const { signal } = rig;
  const read = async (id: string, options: Partial<LogOptions> = {}) => {
    const entries: LogEntry[] = [];
    for await (const batch of rig.runtime.logs(id, { ...ALL, ...options }, signal)) entries.push(...batch);
    return entries;
  };
  const follow = async (id: string, into: LogEntry[]) => {
    for await (const batch of rig.runtime.logs(id, { ...ALL, follow: true }, signal)) into.push(...batch);
  };
  const finished = async (command: string, args: string[] = []) => {
    const id = await rig.container({ command: ["sh", "-c", command], args });
    await rig.engine.docker("wait", id);
    return id;
  };

  rig.verb("logs", "delivers every line in order, each with its stamp", async () => {
    const id = await finished("i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
    const entries = await read(id);
    assert.deepEqual(
      lines(entries),
      Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`),
    );
    for (const { time } of entries) assert.match(time, STAMP);
  });

  rig.verb("logs", "keeps the streams apart and leaves one out if told so", async () => {
    const id = await finished("echo out; echo err >&2");
    const entries = await read(id);
    assert.deepEqual(
      new Set(entries.map(({ stream, bytes }) => `${stream} ${Buffer.from(bytes).toString()}`)),
      new Set(["stdout out\n", "stderr err\n"]),
    );
    assert.equal(text(await read(id, { stdout: false })), "err\n");
    assert.equal(text(await read(id, { stderr: false })), "out\n");
    await assert.rejects(read(id, { stdout: false, stderr: false }), { code: "invalid" });
  });

  for (const [what, args] of [
    ["", []],
    [" of a terminal", ["-t"]],
  ] as const) {
    rig.verb("logs", `delivers a long line${what} in parts that share a stamp`, async () => {
      const id = await finished(`stty raw 2>/dev/null; head -c 40000 /dev/zero | tr '\\0' x; echo; echo short`, [
        ...args,
      ]);
      const entries = await read(id);
      assert.equal(text(entries), `${"x".repeat(40_000)}\nshort\n`);
      const parts = entries.slice(0, -1);
      assert.ok(parts.every(({ bytes }) => bytes.length <= rig.habits.part));
      if (rig.habits.fineStamps) assert.equal(new Set(parts.map((entry) => entry.time)).size, 1);
    });
  }

  rig.verb("logs", "splits a terminal's log into lines", async () => {
    const id = await finished("echo one; echo; echo three; printf four", ["-t"]);
    const entries = await read(id);
    assert.deepEqual(
      entries.map(({ bytes }) => Buffer.from(bytes).toString()),
      ["one\r\n", "\r\n", "three\r\n", "four"],
    );
    assert.ok(entries.every(({ stream, time }) => stream === "stdout" && STAMP.test(time)));
  });

  rig.verb("logs", "changes no byte of a line", async () => {
    const id = await finished(
      "i=1; while [ $i -lt 256 ]; do [ $i = 10 ] || printf \"\\\\$(printf %o $i)\"; i=$((i+1)); done; printf '\\303'",
    );
    const expected = Array.from({ length: 255 }, (_, index) => index + 1).filter((byte) => byte !== 10);
    // The engine's own log file cannot hold bytes that are not UTF-8: those become U+FFFD before anybody can read them.
    const bytes = Buffer.concat((await read(id)).map((entry) => entry.bytes));
    assert.deepEqual([...bytes].slice(0, 126), expected.slice(0, 126));
  });

  rig.verb("logs", "starts at a nanosecond, inclusive, and ends before one", async () => {
    const id = await finished("i=0; while [ $i -lt 30 ]; do echo $i; i=$((i+1)); done");
    const entries = await read(id);
    for (const [index, { time }] of entries.entries()) {
      const first = rig.habits.fineStamps ? index : entries.findIndex((entry) => entry.time === time);
      assert.deepEqual(await read(id, { since: sinceOf(time) }), entries.slice(first));
      if (rig.habits.fineStamps)
        assert.deepEqual(await read(id, { until: sinceOf(time) }), entries.slice(0, index + 1));
    }
    assert.equal(text(await read(id, { tail: 2 })), "28\n29\n");
    assert.equal(text(await read(id, { tail: 0 })), "");
  });

  rig.verb("logs", "follows until the container stops", async () => {
    const id = await rig.container({ command: ["sh", "-c", "echo first; cat; echo last"], args: ["-i"] });
    const entries: LogEntry[] = [];
    const following = follow(id, entries);
    await until("the first line", async () => text(entries) === "first\n");
    await rig.engine.docker("stop", id);
    await following;
    assert.equal(text(entries), "first\n");
  });

  /** Counts from 0, slowly: what is read late is still there. Never so slowly that a number is taken for one after a gap. */
  const SLOWLY = "i=0; until [ -e /go ]; do echo $i; i=$((i+1)); usleep 40000; done";
  /** Ends that: somebody reads. */
  const go = (id: string) => rig.engine.docker("exec", id, "touch", "/go");
  const counting = (args: string[]) => {
    const quickly = "while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); [ $((i % 10)) -ne 0 ] || usleep 10000; done";
    return rig.container({ command: ["sh", "-c", `${SLOWLY}; ${quickly}`], args });
  };

  rig.verb("logs", "follows across rotations, each line once", async () => {
    const id = await counting(["--log-opt", "max-size=20k", "--log-opt", "max-file=20"]);
    const whole = Array.from({ length: 2000 }, (_, i) => `${i}\n`).join("");
    const entries: LogEntry[] = [];
    const reading = follow(id, entries);
    await until("the first number", () => entries.length > 0);
    await go(id);
    await reading;
    assert.equal(text(entries), whole);
  });

  rig.verb(
    "logs",
    "follows a log that is emptied when it is full, each line once as long as it does not break off",
    async () => {
      const id = await counting(["--log-opt", "max-size=20k", "--log-opt", "max-file=1"]);
      const entries: LogEntry[] = [];
      const reading = follow(id, entries).catch((error: unknown) => assert.ok(error instanceof LogInterrupted));
      await until("the first numbers", () => entries.length > 20);
      await go(id);
      await reading;
      assert.equal(
        text(entries),
        lines(entries)
          .map((_, i) => `${i}\n`)
          .join(""),
      );
    },
  );

  rig.verb("logs", "breaks a follow off rather than skip what was rotated away while nobody read", async () => {
    // Each burst fills most of a file, and takes longer than a reader that keeps up is behind.
    const bursts =
      "for b in $(seq 0 29); do seq $((i + b * 8000)) $((i + b * 8000 + 7999)); usleep 60000; done; echo done; sleep 1000";
    const args = ["--log-opt", "max-size=1m", "--log-opt", "max-file=2"];
    const id = await rig.container({ command: ["sh", "-c", `${SLOWLY}; ${bursts}`], args });
    const batches = rig.runtime.logs(id, { ...ALL, follow: true }, signal);
    const seen: LogEntry[] = [];
    const reading = (async () => {
      for await (const batch of batches) {
        if (seen.length === 0) {
          await go(id);
          await until("the last line", async () => text(await read(id, { tail: 1 })) === "done\n");
        }
        seen.push(...batch);
      }
    })();
    await assert.rejects(reading, { name: "LogInterrupted" });
    assert.equal(
      text(seen),
      lines(seen)
        .map((_, i) => `${i}\n`)
        .join(""),
    );
  });

  rig.verb("logs", "stops following at once when told to", async () => {
    const id = await rig.container({ command: ["sh", "-c", "echo first; sleep 1000"] });
    const stop = new AbortController();
    const batches = rig.runtime.logs(id, { ...ALL, follow: true }, stop.signal)[Symbol.asyncIterator]();
    await batches.next();
    const pending = batches.next();
    stop.abort();
    const started = performance.now();
    await assert.rejects(pending, { name: "AbortError" });
    assert.ok(performance.now() - started < 5_000);
  });

  rig.verb("logs", "holds little while nobody reads", async () => {
    const id = await finished("yes $(head -c 1000 /dev/zero | tr '\\0' x) | head -n 100000");
    const batches = rig.runtime.logs(id, ALL, signal)[Symbol.asyncIterator]();
    const ends = (batch: LogEntry[] = []) => batch.filter(({ bytes }) => bytes.at(-1) === 10).length;
    let count = ends((await batches.next()).value ?? []);
    const before = process.memoryUsage().rss;
    await new Promise((resolve) => setTimeout(resolve, 1_500)); // Long enough to read all 100 MB, if anything did.
    const grown = process.memoryUsage().rss - before;
    assert.ok(grown < 48 * 1024 * 1024, `${grown} bytes more`);
    for (let next = await batches.next(); !next.done; next = await batches.next()) count += ends(next.value);
    assert.equal(count, 100_000);
  });

  rig.verb("logs", "says not-found for an unknown container", async () => {
    const batches = rig.runtime.logs("0".repeat(64), ALL, signal);
    await assert.rejects(batches[Symbol.asyncIterator]().next(), { code: "not-found" });
  });
}
