/** exec: streams, terminals, statuses. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { ExecSpec } from "../../../src/agent/runtime/runtime.ts";
import { until } from "../../support/until.ts";
import { Listener, listen, type Rig } from "../rig.ts";

const MIB = 1024 * 1024;

export function execContract(rig: Rig): void {
  const { signal } = rig;
  let shared: Promise<string> | undefined;
  const home = () => (shared ??= rig.container());
  const start = async (command: string[], spec: Partial<ExecSpec> = {}) =>
    rig.runtime.exec(await home(), { command, tty: false, stdin: true, ...spec }, signal);
  const sh = (script: string, spec?: Partial<ExecSpec>) => start(["sh", "-c", script], spec);

  rig.verb("exec", "keeps stdout and stderr apart and tells the status after all output", async () => {
    const process = await sh("echo out; echo err >&2; exit 7");
    assert.deepEqual(await listen(process), { stdout: "out\n", stderr: "err\n" });
    assert.deepEqual(await process.exit, { code: 7 });
  });

  rig.verb("exec", "passes the command on word for word", async () => {
    const words = ["a b", "$HOME", "`id`", "'", '"', "\\", "*", "\u00e9\u{1f980}", ""];
    const process = await start(["printf", "[%s]", ...words]);
    assert.equal(
      Buffer.from((await listen(process)).stdout, "latin1").toString(),
      words.map((word) => `[${word}]`).join(""),
    );
  });

  rig.verb("exec", "carries every byte through a pipe, and its end", async () => {
    const bytes = randomBytes(3 * MIB);
    const process = await start(["cat"]);
    const said = listen(process);
    await process.write(bytes);
    await process.end();
    const hash = (data: Buffer) => createHash("sha256").update(data).digest("hex");
    assert.equal(hash(Buffer.from((await said).stdout, "latin1")), hash(bytes));
    assert.deepEqual(await process.exit, { code: 0 });
  });

  rig.verb("exec", "delivers output that is written after the end of input", async () => {
    const process = await sh("wc -c; echo done >&2");
    for (let sent = 0; sent < 8; sent++) await process.write(Buffer.alloc(MIB));
    await process.end();
    assert.deepEqual(await listen(process), { stdout: `${8 * MIB}\n`, stderr: "done\n" });
  });

  rig.verb("exec", "rejects input once the process has ended", async () => {
    const process = await start(["true"]);
    await listen(process);
    await process.exit;
    await assert.rejects(process.write(Buffer.from("x")), { code: "not-running" });
    await process.end();
    await process.resize({ cols: 1, rows: 1 });
    await process.signal("INT");
  });

  rig.verb("exec", "delivers many small writes whole", async () => {
    const process = await sh("i=0; while [ $i -lt 3000 ]; do echo $i; echo e$i >&2; i=$((i+1)); done");
    const { stdout, stderr } = await listen(process);
    const numbers = Array.from({ length: 3000 }, (_, index) => index);
    assert.equal(stdout, numbers.map((index) => `${index}\n`).join(""));
    assert.equal(stderr, numbers.map((index) => `e${index}\n`).join(""));
  });

  rig.verb("exec", "stops the writer while nobody asks for more", async () => {
    const process = await sh("i=0; while :; do printf %065536d 0; i=$((i+1)); echo $i >/tmp/pieces; done");
    const pieces = async () => Number((await listen(await start(["cat", "/tmp/pieces"]))).stdout);
    let before = await until("the first pieces", async () => (await pieces().catch(() => 0)) || undefined);
    await until("the writer to stand still", async () => {
      const now = await pieces();
      if (now === before) return true;
      before = now;
      return false;
    });
    assert.ok(before * 65_536 < (4 + rig.kernel) * MIB, `${before * 65_536} bytes were taken`);
    await process.close();
  });

  rig.verb("exec", "has the size of the terminal from its start and follows the newest", async () => {
    const process = await sh(
      "until [ \"$(stty size 2>&1)\" = '33 101' ]; do sleep 0.01; done; echo ready; read x; until stty size | grep '66 120'; do sleep 0.01; done",
      { tty: true, size: { cols: 101, rows: 33 } },
    );
    const listener = new Listener(process.output);
    await listener.heard(/ready/);
    await Promise.all([44, 55, 66].map((rows) => process.resize({ cols: 120, rows })));
    await process.write(Buffer.from("\n"));
    await listener.heard(/66 120\r\n/);
    await listener.ended;
    assert.deepEqual(await process.exit, { code: 0 });
  });

  rig.verb("exec", "ends a terminal's input with the end-of-file character", async () => {
    const process = await sh("cat; echo after", { tty: true });
    await process.end();
    assert.match((await listen(process)).stdout, /after\r\n$/);
    assert.deepEqual(await process.exit, { code: 0 });
  });

  rig.verb("exec", "passes every byte to a terminal, the engine's usual detach keys too", async () => {
    const process = await sh("stty raw -echo; echo ready; head -c 255 | od -An -v -tx1", { tty: true });
    const listener = new Listener(process.output);
    await listener.heard(/ready/);
    const bytes = Buffer.from([0x10, 0x11, ...Array.from({ length: 256 }, (_, byte) => byte)].slice(0, 255));
    await process.write(bytes);
    await listener.ended;
    const dump = listener.text.slice(listener.text.indexOf("ready") + 5).replace(/[^0-9a-f]/g, "");
    assert.equal(dump, bytes.toString("hex"));
  });

  rig.verb("exec", "runs as the user, in the directory and with the environment it is told", async () => {
    const process = await sh('id -u; pwd; echo "$COLOUR"', {
      user: "65534",
      workdir: "/tmp",
      env: ["COLOUR=dark red"],
    });
    assert.equal((await listen(process)).stdout, "65534\n/tmp\ndark red\n");
  });

  rig.verb("exec", "leaves no trace of itself in the environment", async () => {
    const { stdout } = await listen(await start(["env"]));
    assert.equal(/fairlead/i.test(stdout), false);
  });

  rig.verb("exec", "sends a signal to the process and its session", async () => {
    const process = await sh("trap 'echo caught; exit 3' USR1; echo ready; while :; do sleep 0.05; done");
    const listener = new Listener(process.output);
    await listener.heard(/ready/);
    await process.signal("USR1");
    await listener.heard(/caught/);
    await listener.ended;
    assert.deepEqual(await process.exit, { code: 3 });
    await assert.rejects(process.signal("NONSENSE"), { code: "invalid" });
  });

  for (const tty of [false, true]) {
    const where = tty ? "on a terminal" : "in a pipe";
    rig.verb("exec", `says in the engine's words that a command is not there, ${where}`, async () => {
      await assert.rejects(start(["nosuch-command"], { tty }), {
        code: "command-not-found",
        message: /nosuch-command/,
      });
    });
    rig.verb("exec", `says that a command cannot be executed, ${where}`, async () => {
      await assert.rejects(start(["/etc/passwd"], { tty }), { code: "command-not-executable", message: /passwd/ });
    });
  }

  rig.verb("exec", "says which user or directory does not exist", async () => {
    await assert.rejects(start(["true"], { user: "nobody-knows" }), { code: "invalid", message: /nobody-knows/ });
    await assert.rejects(start(["true"], { workdir: "/not/there" }), { code: "invalid", message: /not\/there/ });
  });

  rig.verb("exec", "leaves the status 126 and 127 of a shell alone", async () => {
    for (const code of [126, 127]) {
      const process = await sh(`exit ${code}`);
      await listen(process);
      assert.deepEqual(await process.exit, { code });
    }
  });

  rig.verb("exec", "refuses containers that are unknown, stopped or paused", async () => {
    const spec = { command: ["true"], tty: false, stdin: false };
    await assert.rejects(rig.runtime.exec("0".repeat(64), spec, signal), { code: "not-found" });
    const stopped = await rig.container({ command: ["true"] });
    await rig.engine.docker("wait", stopped);
    const words = (state: string) => new RegExp(`^The container [a-z]\\S* is not running; it is ${state}\\.$`);
    await assert.rejects(rig.runtime.exec(stopped, spec, signal), { code: "not-running", message: words("exited") });
    const paused = await rig.container();
    await rig.engine.docker("pause", paused);
    await assert.rejects(rig.runtime.exec(paused, spec, signal), { code: "not-running", message: words("paused") });
  });

  rig.verb("exec", "ends with the truth when its container is killed", async () => {
    const id = await rig.container();
    const process = await rig.runtime.exec(id, { command: ["sleep", "1000"], tty: false, stdin: false }, signal);
    const said = listen(process);
    await rig.engine.docker("kill", id);
    await said;
    const status = await process.exit;
    assert.ok("unknown" in status || status.code === 137, JSON.stringify(status));
  });
}
