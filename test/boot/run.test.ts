/** A real process: its exit code, its last words, and how it takes signals, errors and readers that went away. */

import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, afterEach, before, test } from "node:test";
import { spawn as spawnTerminal } from "node-pty";

const PROGRAM = join(import.meta.dirname, "program.ts");
const TOKEN = "canary-8c19d4";
/** Milliseconds for an end that takes half a second at most; what would hold it up never lets go. */
const SOON_MS = 10_000;
let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "fairlead-run-"));
});
after(() => rm(root, { recursive: true, force: true }));
/** Whatever a test left running ends with it. */
const alive = new Set<number>();
afterEach(() => {
  for (const pid of alive) process.kill(pid, "SIGKILL");
});

type Child = ChildProcessByStdio<null, Readable, Readable>;

interface Running {
  child: Child;
  out: () => string;
  err: () => string;
  /** Resolves when standard output has shown the word. */
  says: (word: string) => Promise<void>;
  ended: Promise<{ code: number | null; signal: string | null }>;
}

function launch(argv: string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const { pid = 0 } = child;
  alive.add(pid);
  child.once("exit", () => alive.delete(pid));
  let out = "";
  let err = "";
  child.stdout.on("data", (bytes: Buffer) => (out += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (err += bytes.toString()));
  const ended = once(child, "close").then(([code, signal]: unknown[]) => {
    return { code: code as number | null, signal: signal as string | null };
  });
  const says = async (word: string) => {
    while (!out.includes(word))
      await Promise.race([once(child.stdout, "data"), ended.then(() => assert.fail(`ended: ${err}`))]);
  };
  return { child, out: () => out, err: () => err, says, ended };
}

const CLEAN = { code: 0, signal: null };
const FAILED = { code: 1, signal: null };

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  test(`${signal} ends the program cleanly`, async () => {
    const { child, says, ended, out, err } = launch([]);
    await says("ready");
    child.kill(signal);
    assert.deepEqual(await ended, CLEAN);
    assert.match(out(), /closing\nclosed\n$/);
    assert.match(err(), new RegExp(`"signal":"${signal}"`));
    assert.match(err(), /"msg":"ended"\}\n$/);
  });

test("what is open may finish until a second signal cuts it", async () => {
  const { child, says, ended, out, err } = launch(["--mode=busy"]);
  await says("ready");
  child.kill("SIGTERM");
  await says("closing");
  assert.ok(!out().includes("closed"));
  child.kill("SIGINT");
  assert.deepEqual(await ended, CLEAN);
  assert.match(out(), /closed/);
  assert.match(err(), /SIGINT again/);
});

test("the same signal twice at once, as npm passes one on, counts once", async () => {
  const { child, says, ended, err } = launch(["--mode=echoed"]);
  await says("ready");
  child.kill("SIGINT");
  await says("closing");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, CLEAN);
  assert.match(err(), /SIGTERM again/);
  assert.doesNotMatch(err(), /SIGINT again/);
});

test("what is open is cut when its time is over", async () => {
  const { child, says, ended, out, err } = launch(["--mode=busy", "--shutdown-grace=50ms"]);
  await says("ready");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, CLEAN);
  assert.match(out(), /closed/);
  assert.match(err(), /the time to finish is over/);
});

test("a part that never lets go is left behind with an error", async () => {
  const { child, says, ended, err } = launch(["--mode=stuck", "--shutdown-grace=0"]);
  await says("ready");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, FAILED);
  assert.match(err(), /did not let go/);
});

test("a third signal ends the program whatever it does", async () => {
  const { child, says, ended, err } = launch(["--mode=stuck"]);
  await says("ready");
  child.kill("SIGINT");
  await says("closing");
  child.kill("SIGTERM");
  child.kill("SIGHUP");
  assert.deepEqual(await ended, FAILED);
  assert.doesNotMatch(err(), /did not let go/);
});

test("a signal while the program still starts ends it cleanly", async () => {
  const { child, says, ended } = launch(["--mode=slow-start"]);
  await says("ready");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, CLEAN);
});

for (const mode of ["throws", "rejects"])
  test(`an error that nobody expected (${mode}) ends the program at once, with all that was logged and one fatal line`, async () => {
    const { says, ended, err } = launch([`--mode=${mode}`, "--log-max-size=1m", `--log-directory=${join(root, mode)}`]);
    await says("ready");
    const begun = performance.now();
    assert.deepEqual(await ended, FAILED);
    assert.ok(performance.now() - begun < SOON_MS);
    for (const text of [err(), await readFile(join(root, mode, "demo.log"), "utf8")]) {
      const lines = text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as { level: string; err?: { stack: string } });
      assert.deepEqual(
        lines.map(({ level }) => level).filter((level) => level === "fatal"),
        ["fatal"],
      );
      assert.match(lines.at(-1)?.err?.stack ?? "", /nobody (catches|handles) this\n\s+at /);
    }
  });

test("a start that fails says why: in words where it is no defect, else with the stack", async () => {
  for (const [mode, words] of [
    ["no-start", "cannot start: the port is taken"],
    ["no-port", "cannot start: listen EADDRINUSE: address already in use"],
  ]) {
    const { ended, err } = launch([`--mode=${mode}`]);
    assert.deepEqual(await ended, FAILED);
    assert.ok(err().includes(`"level":"fatal"`) && err().includes(words ?? "") && !err().includes("stack"), err());
  }
  const { ended, err } = launch(["--mode=defect"]);
  assert.deepEqual(await ended, FAILED);
  assert.match(err(), /TypeError.*program\.ts/);
});

test("an end that fails is told and is no success", async () => {
  const { child, says, ended, err } = launch(["--mode=bad-end"]);
  await says("ready");
  child.kill("SIGTERM");
  assert.deepEqual(await ended, FAILED);
  assert.match(err(), /could not let go/);
});

test("mistakes in the configuration are listed without a stack, and nothing starts", async () => {
  await writeFile(join(root, "bad.yaml"), `shutdown_grace: soon\nnope: 1\ntoken: [${TOKEN}]\n`, { mode: 0o600 });
  await writeFile(join(root, "loose"), TOKEN, { mode: 0o644 });
  const bad = launch(["--config", "bad.yaml", "--moode=x"]);
  assert.deepEqual(await bad.ended, { code: 2, signal: null });
  assert.equal(bad.out(), "");
  assert.match(bad.err(), /^demo: the configuration has mistakes\n( {2}[^ ].*\n){4}$/);
  assert.ok(!bad.err().includes(TOKEN));
  const loose = launch(["--key-file", "loose"]);
  assert.deepEqual(await loose.ended, { code: 2, signal: null });
  assert.match(
    loose.err(),
    /flag --key-file: .*loose can be read or written by other users \(mode 0644\); run: chmod 600 .*loose/,
  );
  await symlink("loose", join(root, "to-loose"));
  const linked = launch(["--key-file", "to-loose"]);
  assert.deepEqual(await linked.ended, { code: 2, signal: null });
  await chmod(join(root, "loose"), 0o600);
  const tight = launch(["--key-file", "to-loose", "--mode=no-start"]);
  assert.deepEqual(await tight.ended, FAILED);
  for (const path of ["missing.yaml", ".", "bad.yaml/x"]) {
    const missing = launch(["-c", path]);
    assert.deepEqual(await missing.ended, { code: 2, signal: null });
    assert.ok(missing.err().includes(path), missing.err());
  }
});

test("help, version and the configuration go to standard output", async () => {
  const help = launch(["--help"]);
  assert.deepEqual(await help.ended, CLEAN);
  assert.match(help.out(), /^Usage: demo \[flags\]\n/);
  const version = launch(["--version"]);
  assert.deepEqual(await version.ended, CLEAN);
  assert.equal(version.out(), "demo 1.2.3\n");
  const config = launch(["--print-config", "--no-debug"], { DEMO_TOKEN: TOKEN });
  assert.deepEqual(await config.ended, CLEAN);
  assert.match(config.out(), /^debug: false +# flag --no-debug\n/);
  assert.match(config.out(), /^token: "\*\*\*" +# environment DEMO_TOKEN$/m);
  assert.ok(!config.out().includes(TOKEN) && config.err() === "");
});

test("a secret setting does not reach the log", async () => {
  const { child, says, ended, err } = launch(["--debug"], { DEMO_TOKEN: TOKEN });
  await says("ready");
  child.kill("SIGTERM");
  await ended;
  assert.match(err(), /"token":"\*\*\*"/);
  assert.ok(!err().includes(TOKEN));
});

test("a reader of standard error that went away does not end the program", async () => {
  const { child, says, ended, out } = launch(["--mode=chatty"]);
  await says("ready");
  child.stderr.destroy();
  const exit = once(child, "exit");
  assert.equal(await Promise.race([exit.then(() => "ended"), answers(child)]), "alive");
  child.kill("SIGTERM");
  assert.equal((await ended).code, 0);
  assert.match(out(), /closed/);
});

test("a reader of standard error that stopped reading neither holds the program up nor fills its memory", async () => {
  const { child, says, ended } = launch(["--mode=chatty"]);
  child.stderr.pause();
  await says("ready");
  assert.equal(await answers(child), "alive");
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  assert.ok(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) < 200_000);
  const begun = performance.now();
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0);
  assert.ok(performance.now() - begun < SOON_MS);
  child.stderr.resume();
  await ended;
});

/** Resolves once the process has used processor time a few times more: it is not stuck. */
async function answers(child: Child): Promise<string> {
  const used = async () => Number((await readFile(`/proc/${child.pid}/stat`, "utf8")).split(" ")[13]);
  for (let seen = await used(), times = 0; times < 5; ) {
    const now = await used();
    if (now > seen) times++;
    seen = now;
  }
  return "alive";
}

test("on a terminal the log is for people, and a terminal that is held does not hold the program", async () => {
  const terminal = spawnTerminal(process.execPath, [PROGRAM, "--mode=burst"], { cwd: root, env: process.env });
  alive.add(terminal.pid);
  terminal.onExit(() => alive.delete(terminal.pid));
  let shown = "";
  const ended = new Promise((resolve) => terminal.onExit(resolve));
  const ready = new Promise<void>((resolve) => {
    terminal.onData((text) => {
      shown += text;
      // Both standard output and standard error come here.
      if (shown.includes("INFO") && shown.includes("up")) resolve();
    });
  });
  await ready;
  assert.match(shown, /\d\d:\d\d:\d\d INFO {2}up canary=11/);
  terminal.pause();
  terminal.kill("SIGTERM");
  // What nobody reads keeps a thread in its write: the process is gone all the same, while the terminal is still held.
  while (
    await readFile(`/proc/${terminal.pid}/stat`).then(
      () => true,
      () => false,
    )
  );
  terminal.resume();
  await ended;
});

test("a closed terminal ends the program", async () => {
  const directory = join(root, "closed");
  const argv = [PROGRAM, "--log-max-size=1m", `--log-directory=${directory}`];
  const terminal = spawnTerminal(process.execPath, argv, { cwd: root, env: process.env });
  alive.add(terminal.pid);
  terminal.onExit(() => alive.delete(terminal.pid));
  const ended = new Promise<{ exitCode: number }>((resolve) => terminal.onExit(resolve));
  await new Promise<void>((resolve) => terminal.onData((text) => text.includes("ready") && resolve()));
  terminal.kill("SIGHUP");
  assert.equal((await ended).exitCode, 0);
  assert.match(await readFile(join(directory, "demo.log"), "utf8"), /SIGHUP[^]*"ended"/);
});
