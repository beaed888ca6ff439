/** What every verb says when the engine hangs, is killed or is not there; on an engine of its own. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogEntry, LogOptions, Runtime } from "../../../src/agent/runtime/runtime.ts";
import type { Engine } from "../../support/engine.ts";
import { until } from "../../support/until.ts";
import { Listener, listen, type Rig, sinceOf } from "../rig.ts";

const AWAY = { name: "RuntimeError", code: "engine-unavailable" };
/** Milliseconds for one call, where the engine itself takes a second or two. */
const HANG_MS = 4_000;
const PIPE = { tty: false, stdin: true };

export interface FaultOptions {
  /** The rig's. Its containers may go on without it. */
  engine: Pick<Engine, "kill" | "start">;
  /** A runtime for an address, whose calls time out after so many milliseconds. */
  impatient: (host: string, timeout: number) => Runtime;
}

export function faultContract(rig: Rig, { engine: daemon, impatient }: FaultOptions): void {
  const { engine, signal } = rig;

  rig.verb(
    "faults",
    "an engine that hangs is unavailable after the time-out, and is back when it goes on",
    async () => {
      const id = await rig.container();
      const runtime = impatient(engine.host, HANG_MS);
      await runtime.list(signal);
      await daemon.kill("SIGSTOP");
      try {
        const verbs = [
          runtime.info(signal),
          runtime.list(signal),
          runtime.inspect(id, signal),
          runtime.exec(id, { command: ["true"], ...PIPE }, signal),
          runtime.attach(id, { stdin: false, stdout: true, stderr: true }, signal),
          runtime.dial(id, 80, signal),
          runtime.watch(signal)[Symbol.asyncIterator]().next(),
          runtime.logs(id, { follow: true, stdout: true, stderr: true }, signal)[Symbol.asyncIterator]().next(),
        ];
        await Promise.all(verbs.map((verb) => assert.rejects(verb, AWAY)));
      } finally {
        await daemon.kill("SIGCONT");
      }
      await until("the engine to answer again", () =>
        runtime.list(signal).then(
          () => true,
          () => false,
        ),
      );
      await runtime.close();
    },
  );

  rig.verb(
    "faults",
    "an engine that hangs while it is to act, to measure or to tell is unavailable in time, and does it afterwards",
    async () => {
      const running = await rig.container();
      const other = await rig.container();
      const stopped = await rig.container({ command: ["true"] });
      const runtime = impatient(engine.host, HANG_MS);
      const since = sinceOf(new Date().toISOString());
      const measured = runtime.stats(running, signal)[Symbol.asyncIterator]();
      await measured.next();
      const told = readToEnd((await runtime.events(since, signal))[Symbol.asyncIterator]());
      await daemon.kill("SIGSTOP");
      const began = performance.now();
      try {
        const verbs = [
          runtime.control(stopped, { kind: "start" }, signal),
          runtime.control(running, { kind: "stop", timeout: 0 }, signal),
          runtime.control(running, { kind: "restart" }, signal),
          runtime.control(stopped, { kind: "remove", force: false, volumes: false }, signal),
          runtime.stats(running, signal)[Symbol.asyncIterator]().next(),
          runtime.events(since, signal),
          measured.next(),
          told,
        ];
        await Promise.all(
          verbs.map((verb) => assert.rejects(verb, { ...AWAY, message: /did not answer|has not told/ })),
        );
        assert.ok(performance.now() - began < 5 * HANG_MS);
      } finally {
        await daemon.kill("SIGCONT");
      }
      // What waited in its socket it may still do, so another container tells whether it is back.
      await until("the engine to do what it is asked", () =>
        runtime.control(other, { kind: "restart", timeout: 0 }, signal).then(
          () => true,
          () => false,
        ),
      );
      for await (const { action, container } of await runtime.events(since, signal))
        if (action === "restart" && container.id === other) break;
      assert.equal((await runtime.stats(other, signal)[Symbol.asyncIterator]().next()).done, false);
      await runtime.close();
    },
  );

  rig.verb("faults", "an engine that is killed ends everything clearly, and nothing with status 0", async () => {
    const { runtime } = await rig.another();
    const id = await rig.container({ command: ["sh", "-c", "echo first; cat"], args: ["-i"] });
    const pipe = await runtime.exec(id, { command: ["cat"], ...PIPE }, signal);
    const terminal = await runtime.exec(id, { command: ["cat"], tty: true, stdin: true }, signal);
    const attached = await runtime.attach(id, { stdin: true, stdout: true, stderr: true }, signal);
    const processes = [pipe, terminal, attached];
    const heard = processes.map((process) => listen(process));
    const lists = runtime.watch(signal)[Symbol.asyncIterator]();
    await lists.next();
    const follow = runtime.logs(id, { follow: true, stdout: true, stderr: true }, signal)[Symbol.asyncIterator]();
    await follow.next();
    await daemon.kill("SIGKILL");
    await assert.rejects(follow.next(), AWAY);
    await assert.rejects(readToEnd(lists), AWAY);
    await Promise.all(heard);
    for (const process of processes) assert.ok("unknown" in (await process.exit));
    await assert.rejects(runtime.list(signal), AWAY);
    await Promise.all(processes.map((process) => process.close()));
    await daemon.start();
    await runtime.list(signal);
    await runtime.close();
  });

  rig.verb("faults", "a log goes on after the engine was away, without a line lost or repeated", async () => {
    const id = await rig.container({ command: ["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done"] });
    const before: LogEntry[] = [];
    const read = async (into: LogEntry[], options: Partial<LogOptions>) => {
      const all = { follow: false, stdout: true, stderr: true, ...options };
      for await (const batch of rig.runtime.logs(id, all, signal)) into.push(...batch);
    };
    const following = read(before, { follow: true });
    await until("a hundred lines", async () => before.length > 100);
    // Before the kill, because the log may break off before that has returned.
    const away = assert.rejects(following, AWAY);
    await daemon.kill("SIGKILL");
    await away;
    await daemon.start();
    await engine.docker("start", id);
    const last = before.at(-1)?.time ?? "";
    const after: LogEntry[] = [];
    const followedOn = read(after, { follow: true, since: sinceOf(last) });
    await until("a hundred lines more", async () => after.length > 100);
    await engine.docker("kill", id);
    await followedOn;
    const lines = [...before, ...after.filter((entry) => entry.time > last)];
    const truth: LogEntry[] = [];
    await read(truth, {});
    assert.deepEqual(lines, truth);
  });

  rig.verb("faults", "the processes of an exec are ended even while the engine is away", async () => {
    const { runtime } = await rig.another();
    const id = await rig.container();
    const process = await runtime.exec(id, { command: ["sleep", "911"], ...PIPE }, signal);
    const rows = (await engine.docker("top", id, "-o", "pid,args")).split("\n");
    const pid = Number.parseInt(rows.find((row) => row.endsWith("sleep 911")) ?? assert.fail(rows.join("\n")), 10);
    await daemon.kill("SIGKILL");
    await process.close();
    assert.ok("unknown" in (await process.exit));
    // It may still be a zombie, which has no command line, until its shim comes to it.
    assert.equal(await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => ""), "");
    await daemon.start();
    await runtime.close();
  });

  rig.verb("faults", "an engine that was never there is unavailable, with words about what to do", async () => {
    const runtime = impatient(`unix://${join(tmpdir(), "no-engine.sock")}`, 500);
    await assert.rejects(runtime.info(signal), { ...AWAY, message: /no-engine\.sock.*does not exist.*running/ });
    await assert.rejects(runtime.watch(signal)[Symbol.asyncIterator]().next(), AWAY);
    await runtime.close();
  });

  rig.verb("faults", "a container that is removed ends its sessions", async () => {
    const id = await rig.container({ args: ["-i"], command: ["cat"] });
    const exec = await rig.runtime.exec(id, { command: ["cat"], ...PIPE }, signal);
    const attached = await rig.runtime.attach(id, { stdin: true, stdout: true, stderr: true }, signal);
    const listeners = [exec, attached].map((process) => new Listener(process.output));
    const logs = rig.runtime.logs(id, { follow: true, stdout: true, stderr: true }, signal)[Symbol.asyncIterator]();
    const line = logs.next();
    await engine.docker("rm", "--force", id);
    assert.equal((await line).done, true);
    await Promise.all(listeners.map((listener) => listener.ended));
    assert.notDeepEqual(await exec.exit, { code: 0 });
    assert.deepEqual(await attached.exit, { code: 137 });
  });
}

async function readToEnd(told: AsyncIterator<unknown>): Promise<void> {
  for (let next = await told.next(); !next.done; next = await told.next());
}
