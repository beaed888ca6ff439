import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { suite, test } from "node:test";
import { wait } from "../../../src/lib/wait.ts";
import { Pty } from "../../../src/agent/runtime/pty.ts";
import { openHost } from "../../../src/agent/runtime/host/host.ts";
import type { Process, ShellSpec } from "../../../src/agent/runtime/runtime.ts";
import { settled, until } from "../../support/until.ts";

const NEVER = new AbortController().signal;
const MEGABYTE = 1_000_000;

async function start(command: string[], spec: Partial<ShellSpec> = {}): Promise<Process> {
  const host = await openHost({ shell: true, user: "" });
  return host.shell({ command, tty: true, stdin: true, ...spec }, NEVER);
}

const sh = (script: string, spec: Partial<ShellSpec> = {}) => start(["sh", "-c", script], spec);

/** Everything of one stream that comes, and how it ended. */
async function all(process: Process, only?: "stdout" | "stderr"): Promise<{ text: string; status: unknown }> {
  const chunks: Buffer[] = [];
  for await (const { stream, bytes } of process.output)
    if (only === undefined || stream === only) chunks.push(Buffer.from(bytes));
  return { text: Buffer.concat(chunks).toString(), status: await process.exit };
}

/** Processes whose environment has this value, as long as they are no zombies. */
function marked(value: string): number {
  return readdirSync("/proc").filter((pid) => /^\d+$/.test(pid) && environment(pid).includes(`MARK=${value}`)).length;
}

/** What `head` with this value in its environment has written so far, in bytes. */
function writtenBy(mark: string): number {
  for (const pid of readdirSync("/proc"))
    if (/^\d+$/.test(pid) && environment(pid).includes(`MARK=${mark}`) && procFile(pid, "comm") === "head\n")
      return Number(/wchar: (\d+)/.exec(procFile(pid, "io"))?.[1]);
  return -1;
}

function environment(pid: string): string {
  return procFile(pid, "environ");
}

function procFile(pid: string, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return "";
  }
}

const openFiles = () => readdirSync("/proc/self/fd").length;

for (const tty of [true, false])
  suite(tty ? "a program in a terminal of the host" : "a program of the host with pipes", () => {
    const spec = { tty };

    test("all it printed comes before its exit code", async () => {
      for (const size of [0, 1, 5_000, 60_000, 200_000]) {
        const { text, status } = await all(await sh(`head -c ${size} /dev/zero | tr '\\0' x; exit 7`, spec));
        assert.deepEqual([text.length, status], [size, { code: 7 }]);
      }
    });

    test("a reader that stops makes it wait, and loses nothing when it goes on", async () => {
      const mark = `fl-slow-${process.pid}-${String(tty)}`;
      const child = await sh(`export MARK=${mark}; ${tty ? "stty raw; " : ""}yes | head -c ${20 * MEGABYTE}`, spec);
      const pieces = child.output[Symbol.asyncIterator]();
      let length = (await pieces.next()).value?.bytes.length ?? 0;
      const written = await settled(() => writtenBy(mark));
      assert.ok(written < 4 * MEGABYTE, `it wrote ${written} bytes that nobody read`);
      const expected = Buffer.from("y\n".repeat(MEGABYTE));
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
        const { bytes } = next.value;
        assert.ok(expected.subarray(length % 2, (length % 2) + bytes.length).equals(bytes), `at ${length}`);
        length += bytes.length;
      }
      assert.equal(length, 20 * MEGABYTE);
      assert.deepEqual(await child.exit, { code: 0 });
    });

    test("every byte that is written to it arrives, and so does the end of input", async () => {
      const script = tty ? "stty raw -echo; echo ready; head -c 300000 | wc -c" : "echo ready; wc -c";
      const process = await sh(script, spec);
      const pieces = process.output[Symbol.asyncIterator]();
      let text = "";
      while (!text.includes("ready")) text += Buffer.from((await pieces.next()).value?.bytes ?? []).toString();
      await process.write(Buffer.alloc(300_000, "x"));
      if (!tty) await process.end();
      for (let next = await pieces.next(); !next.done; next = await pieces.next())
        text += Buffer.from(next.value.bytes).toString();
      assert.match(text, /ready\s+300000/);
    });

    test("it is ended with everything it started, also what ignores HUP and TERM", async () => {
      const mark = `fl-${process.pid}-${String(tty)}`;
      const script = `export MARK=${mark}; (trap '' HUP TERM; sleep 1000) & (setsid sleep 1000) & sh -c 'sleep 1000' & echo started; wait`;
      const child = await sh(script, spec);
      const pieces = child.output[Symbol.asyncIterator]();
      assert.match(Buffer.from((await pieces.next()).value?.bytes ?? []).toString(), /started/);
      await until("all of it runs", () => marked(mark) >= 4);
      const before = performance.now();
      await child.close();
      assert.ok(performance.now() - before < 15_000);
      assert.equal(marked(mark), 0);
      assert.ok("code" in (await child.exit));
    });

    test("what it left in the background with nohup goes on after its own end, and holds nobody up", async () => {
      const mark = `fl-nohup-${process.pid}-${String(tty)}`;
      const begun = "until grep -q sleep /proc/$!/comm; do :; done";
      const child = await sh(`MARK=${mark} nohup sleep 30 2>/dev/null & ${begun}; echo done $!`, spec);
      const { text } = await all(child);
      await child.close();
      assert.equal(marked(mark), 1);
      process.kill(Number(/done (\d+)/.exec(text)?.[1]), "SIGKILL");
    });

    test("its environment holds a login's names and nothing of this program", async () => {
      process.env["FAIRLEAD_TOKEN"] = "canary-of-the-agent";
      const { text } = await all(await start(["env"], spec));
      delete process.env["FAIRLEAD_TOKEN"];
      assert.ok(!text.includes("canary"));
      const names = text
        .trim()
        .split(/\r?\n/)
        .map((line) => line.split("=")[0] ?? "");
      const allowed = [
        "HOME",
        "LOGNAME",
        "PATH",
        "PWD",
        "SHELL",
        "TERM",
        "USER",
        "LANG",
        "LANGUAGE",
        "LC_ALL",
        "LC_CTYPE",
        "TZ",
      ];
      assert.deepEqual(
        names.filter((name) => !allowed.includes(name)),
        [],
      );
    });

    test("no descriptor is left open, here or there", async () => {
      const used = async () => {
        const { text } = await all(await sh("ls -l /proc/$$/fd", spec));
        return text.trim();
      };
      await used();
      const before = openFiles();
      const several = await Promise.all(Array.from({ length: 8 }, () => sh("sleep 1000", spec)));
      const seen = await used();
      await Promise.all(several.map((each) => each.close()));
      await until("all descriptors are closed", () => openFiles() <= before);
      assert.doesNotMatch(seen, /ptmx/);
    });
  });

// So many bytes stay in the stream alone, or in the kernel too.
for (const size of [70_000, 80_000])
  test(`what a terminal holds of ${size} bytes is there for a reader that comes long after the end`, async () => {
    const argv = ["sh", "-c", `head -c ${size} /dev/zero | tr '\\0' x`] as const;
    const pty = new Pty({
      argv: [...argv],
      env: { PATH: "/bin:/usr/bin" },
      cwd: "/",
      term: "vt100",
      size: { cols: 80, rows: 24 },
    });
    const pieces = pty.output[Symbol.asyncIterator]();
    let length = (await pieces.next()).value?.bytes.length ?? 0;
    await until("the program is gone", () => procFile(String(pty.pid), "stat") === "", { patience: 10_000 });
    // node-pty gives its stream up 200 ms later, and nothing shows when it has.
    await wait(500, NEVER);
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) length += next.value.bytes.length;
    assert.deepEqual([length, await pty.exit], [size, 0]);
  });

suite("the host's shell", () => {
  test("is the account's own, as at a login, in its home", async () => {
    const { shell, homedir, username } = userInfo();
    const process = await start([]);
    await process.write(Buffer.from('echo "$0 $PWD $USER" $-; exit 3\r'));
    const { text, status } = await all(process);
    assert.ok(text.includes(`${shell} ${homedir} ${username}`), text);
    assert.deepEqual(status, { code: 3 });
  });

  test("a terminal has its size and follows its changes", async () => {
    const process = await sh("trap 'stty size; exit' WINCH; stty size; while :; do sleep 0.05; done", {
      size: { cols: 100, rows: 40 },
    });
    let text = "";
    for await (const { bytes } of process.output) {
      text += Buffer.from(bytes).toString();
      if (text === "40 100\r\n") await process.resize({ cols: 7, rows: 5 });
    }
    assert.equal(text, "40 100\r\n5 7\r\n");
    await process.resize({ cols: 1, rows: 1 });
  });

  test("a signal reaches everything in its session; an end by a signal has 128 and its number", async () => {
    const process = await sh("trap 'echo caught; exit 4' USR1; echo ready; while :; do sleep 0.05; done", {
      tty: false,
    });
    let text = "";
    for await (const { bytes, stream } of process.output) {
      if (stream === "stdout") text += Buffer.from(bytes).toString();
      if (text === "ready\n") await process.signal("USR1");
    }
    assert.deepEqual([text.startsWith("ready\ncaught\n"), await process.exit], [true, { code: 4 }]);
    for (const tty of [true, false])
      assert.deepEqual((await all(await sh("kill -KILL $$", { tty }))).status, { code: 137 });
  });

  test("standard output and standard error stay apart without a terminal", async () => {
    assert.equal((await all(await sh("echo out; echo err >&2", { tty: false }), "stderr")).text, "err\n");
  });

  test("a command that does not exist or cannot be executed is refused before anything runs", async () => {
    await assert.rejects(start(["no-such-command"]), { code: "command-not-found" });
    await assert.rejects(start(["/etc/no/such"]), { code: "command-not-found" });
    await assert.rejects(start(["/etc/passwd"]), { code: "command-not-executable" });
    await assert.rejects(start(["/etc"]), { code: "command-not-executable" });
  });

  test("another user gets a session and a terminal of his own", async () => {
    const host = await openHost({ shell: true, user: "nobody" });
    assert.equal(host.user, "nobody");
    const script = "id -un; id -Gn; stat -c %U $(tty); echo $USER";
    const { text } = await all(await host.shell({ command: ["sh", "-c", script], tty: true, stdin: false }, NEVER));
    assert.equal(text.replaceAll("\r", ""), "nobody\nnogroup\nnobody\nnobody\n");
  });

  test("is refused with words where there is none", async () => {
    const off = await openHost({ shell: false, user: "" });
    await assert.rejects(off.shell({ command: [], tty: true, stdin: true }, NEVER), /host_shell: true/);
    await assert.rejects(openHost({ shell: true, user: "no-such-user" }), /no account "no-such-user"/);
  });
});
