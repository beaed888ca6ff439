/** attach: the container's first process, which goes on whatever its visitors do. */

import assert from "node:assert/strict";
import type { AttachSpec } from "../../../src/agent/runtime/runtime.ts";
import { until } from "../../support/until.ts";
import { Listener, listen, type Rig } from "../rig.ts";

const BOTH: AttachSpec = { stdin: true, stdout: true, stderr: true };
const MIB = 1024 * 1024;

export function attachContract(rig: Rig): void {
  const { signal } = rig;
  const shell = (script: string, args: string[]) => rig.container({ command: ["sh", "-c", script], args });

  rig.verb("attach", "talks to the first process and tells how it ended", async () => {
    const id = await shell("read x; echo out $x; echo err >&2; exit 5", ["-i"]);
    const process = await rig.runtime.attach(id, BOTH, signal);
    const said = listen(process);
    await process.write(Buffer.from("hello\n"));
    assert.deepEqual(await said, { stdout: "out hello\n", stderr: "err\n" });
    assert.deepEqual(await process.exit, { code: 5 });
  });

  rig.verb("attach", "tells the status of a container that removes itself", async () => {
    const id = await shell("read x; exit 6", ["-i", "--rm"]);
    const process = await rig.runtime.attach(id, BOTH, signal);
    const said = listen(process);
    await process.write(Buffer.from("\n"));
    await said;
    assert.deepEqual(await process.exit, { code: 6 });
  });

  rig.verb("attach", "ends the input of a container that was made for it", async () => {
    const id = await rig.engine.docker(
      "create",
      "-i",
      "-a",
      "stdin",
      "-a",
      "stdout",
      "busybox",
      "sh",
      "-c",
      "wc -c; echo after",
    );
    await rig.engine.docker("start", id);
    const process = await rig.runtime.attach(id, BOTH, signal);
    assert.equal((await rig.runtime.inspect(id, signal)).stdinOnce, true);
    const said = listen(process);
    await process.write(Buffer.alloc(MIB));
    await process.end();
    assert.equal((await said).stdout, `${MIB}\nafter\n`);
    assert.deepEqual(await process.exit, { code: 0 });
    await rig.engine.docker("rm", id);
  });

  rig.verb("attach", "keeps listening after the end of an input that others may go on with", async () => {
    const id = await shell("while read x; do echo got $x; done", ["-i"]);
    const first = await rig.runtime.attach(id, BOTH, signal);
    const listener = new Listener(first.output);
    await first.end();
    const second = await rig.runtime.attach(id, BOTH, signal);
    await second.write(Buffer.from("more\n"));
    await listener.heard(/got more/);
    await Promise.all([first.close(), second.close()]);
  });

  rig.verb(
    "attach",
    "drops the oldest output of a reader that lags, says how much, and never stops the container",
    async () => {
      const id = await shell("read x; head -c 8388608 /dev/zero; echo >/tmp/written; read x; printf end", ["-i"]);
      const process = await rig.runtime.attach(id, BOTH, signal);
      await process.write(Buffer.from("\n"));
      await until("the container to write all", () =>
        rig.engine.docker("exec", id, "cat", "/tmp/written").then(
          () => true,
          () => false,
        ),
      );
      await process.write(Buffer.from("\n"));
      await rig.engine.docker("wait", id);
      const total = { delivered: 0, dropped: 0, tail: "" };
      for await (const { bytes, dropped = 0 } of process.output) {
        total.delivered += bytes.length;
        total.dropped += dropped;
        total.tail = Buffer.from(bytes).toString("latin1").slice(-3);
      }
      assert.equal(total.delivered + total.dropped, 8 * MIB + 3);
      assert.ok(total.delivered <= (1 + rig.kernel) * MIB);
      assert.equal(total.tail, "end");
    },
  );

  rig.verb("attach", "carries a terminal with its size, and every key", async () => {
    const id = await shell(
      "stty raw -echo; echo ready; head -c 3 | od -An -tx1; until stty size | grep '21 98'; do sleep 0.01; done",
      ["-i", "-t"],
    );
    await until("the terminal to be raw", async () => (await rig.engine.docker("logs", id)).includes("ready"));
    const process = await rig.runtime.attach(id, { ...BOTH, size: { cols: 99, rows: 22 } }, signal);
    const listener = new Listener(process.output);
    await process.resize({ cols: 98, rows: 21 });
    await process.write(Buffer.from([0x10, 0x11, 0x03]));
    await listener.heard(/10 11 03/);
    await listener.heard(/21 98/);
    await listener.ended;
    assert.deepEqual(await process.exit, { code: 0 });
  });

  rig.verb("attach", "lets go without a trace", async () => {
    const id = await shell("while read x; do echo got $x; done", ["-i"]);
    const process = await rig.runtime.attach(id, BOTH, signal);
    const said = listen(process);
    await process.close();
    await process.close();
    assert.deepEqual(await process.exit, { unknown: "detached" });
    assert.deepEqual(await said, { stdout: "", stderr: "" });
    assert.equal((await rig.runtime.inspect(id, signal)).state, "running");
  });

  rig.verb("attach", "signals the container", async () => {
    const id = await shell("trap 'echo caught; exit 4' USR1; echo ready; while :; do sleep 0.05; done", []);
    await until("the trap", async () => (await rig.engine.docker("logs", id)).includes("ready"));
    const process = await rig.runtime.attach(id, BOTH, signal);
    const said = listen(process);
    await process.signal("usr1");
    assert.equal((await said).stdout, "caught\n");
    assert.deepEqual(await process.exit, { code: 4 });
  });

  rig.verb("attach", "refuses containers that are unknown or stopped", async () => {
    await assert.rejects(rig.runtime.attach("0".repeat(64), BOTH, signal), { code: "not-found" });
    const id = await shell("exit 0", []);
    await rig.engine.docker("wait", id);
    await assert.rejects(rig.runtime.attach(id, BOTH, signal), { code: "not-running" });
  });
}
