/** The log never exceeds its size, never stops the program, and never shows a secret. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { type LogOptions, type OpenLog, openLog } from "../../src/boot/log.ts";
import { LogFiles } from "../../src/boot/log-files.ts";
import { logText } from "../../src/boot/log-text.ts";
import { Secret } from "../../src/lib/secret.ts";
import { until } from "../support/until.ts";

const SMALLEST = 65_536;
let root: string;
const opened: OpenLog[] = [];

afterEach(closeAll);
before(async () => {
  root = await mkdtemp(join(tmpdir(), "fairlead-log-"));
});
after(() => rm(root, { recursive: true, force: true }));

async function closeAll(): Promise<void> {
  await Promise.all(opened.splice(0).map((log) => log.close()));
}

/** Does the work while a memory file system is mounted there. */
async function onTmpfs(mount: string, options: string, work: () => Promise<void>): Promise<void> {
  await mkdir(mount);
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", mount]);
  try {
    await work();
  } finally {
    await closeAll();
    execFileSync("umount", [mount]);
  }
}

/** A log whose standard error is an array of texts. */
function open(directory: string, options: Partial<LogOptions> = {}): OpenLog & { shown: string[] } {
  const shown: string[] = [];
  const stderr = { terminal: false, holdsExit: false, write: async (text: string) => void shown.push(text) };
  const log = openLog({
    name: "agent",
    debug: false,
    directory,
    maxSize: SMALLEST,
    retryMs: 20,
    stderr,
    ...options,
  });
  opened.push(log);
  return { ...log, shown };
}

/** Sizes by name, of whatever is in the directory. */
async function sizes(directory: string): Promise<Record<string, number>> {
  const names = await readdir(directory);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, (await stat(join(directory, name))).size])),
  );
}

async function total(directory: string): Promise<number> {
  return Object.values(await sizes(directory)).reduce((sum, size) => sum + size, 0);
}

interface Line {
  level: string;
  msg: string;
  n?: number;
  lost?: number;
}

/** Every line of every file, oldest first; each must be whole. */
async function lines(directory: string): Promise<Line[]> {
  const number = (name: string) => Number(/\.(\d+)\.log$/.exec(name)?.[1] ?? Number.POSITIVE_INFINITY);
  const names = (await readdir(directory))
    .filter((name) => name.endsWith(".log"))
    .sort((a, b) => number(a) - number(b));
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
  return texts.flatMap((text) =>
    text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line),
  );
}

test("all files together stay below the size at every moment, over many restarts, and hold the newest lines in order", async () => {
  const directory = join(root, "bound");
  let n = 0;
  for (let restart = 0; restart < 20; restart++) {
    const { log, flush } = open(directory);
    for (let step = 0; step < 10; step++) {
      for (let line = 0; line < 20; line++) log.info({ n: n++ }, "x".repeat((n * 37) % 500));
      await flush();
      assert.ok((await total(directory)) <= SMALLEST, JSON.stringify(await sizes(directory)));
    }
  }
  const kept = (await lines(directory)).map((line) => line.n ?? -1);
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, index) => n - kept.length + index),
  );
  assert.ok((await total(directory)) > SMALLEST / 2, "rotation keeps at least half of what it may");
  assert.equal((await stat(join(directory, "agent.log"))).mode & 0o777, 0o600);
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
});

test("files of an earlier, larger limit are brought below a smaller one, and foreign files are left alone", async () => {
  const directory = join(root, "shrink");
  await mkdir(directory);
  await writeFile(join(directory, "agent.log.txt"), "mine");
  await writeFile(join(directory, "other.1.log"), "mine");
  await mkdir(join(directory, "agent.9.log"));
  const large = open(directory, { maxSize: 20 * SMALLEST });
  for (let n = 0; n < 3000; n++) large.log.info("x".repeat(300));
  await large.flush();
  assert.ok((await total(directory)) > 10 * SMALLEST);
  await rm(join(directory, "agent.9.log"), { recursive: true });
  const small = open(directory);
  small.log.info("first");
  await small.flush();
  const ours = Object.entries(await sizes(directory)).filter(([name]) => /^agent(\.\d+)?\.log$/.test(name));
  assert.ok(ours.reduce((sum, [, size]) => sum + size, 0) <= SMALLEST);
  assert.equal(await readFile(join(directory, "agent.log.txt"), "utf8"), "mine");
  assert.equal(await readFile(join(directory, "other.1.log"), "utf8"), "mine");
});

test("two programs that share a directory stay below the size together", async () => {
  const directory = join(root, "shared");
  const [one, two] = [open(directory), open(directory)];
  for (let n = 0; n < 60; n++) {
    for (let line = 0; line < 20; line++) for (const { log } of [one, two]) log.info("y".repeat(200));
    await Promise.all([one.flush(), two.flush()]);
  }
  assert.ok((await total(directory)) <= SMALLEST * 1.5, JSON.stringify(await sizes(directory)));
  assert.deepEqual(
    one.shown.concat(two.shown).filter((text) => text.includes("cannot")),
    [],
  );
});

test("a file that somebody moved away or removed is begun anew", async () => {
  const directory = join(root, "moved");
  const { log, flush } = open(directory);
  log.info("one");
  await flush();
  await rename(join(directory, "agent.log"), join(directory, "taken"));
  log.info("two");
  await flush();
  await rm(join(directory, "agent.log"));
  log.info("three");
  await flush();
  assert.match(await readFile(join(directory, "taken"), "utf8"), /one/);
  assert.deepEqual(
    (await lines(directory)).map(({ msg }) => msg),
    ["three"],
  );
});

test("a disk that fills costs lines and one warning, and the log goes on when there is space again", async () => {
  const mount = join(root, "small");
  await onTmpfs(mount, "size=4m", async () => {
    await writeFile(join(mount, "ballast"), Buffer.alloc(3_500_000));
    const directory = join(mount, "log");
    const { log, flush, shown } = open(directory, { maxSize: 64 * 1024 * 1024 });
    for (let n = 0; n < 4000; n++) {
      log.info({ n }, "z".repeat(200));
      if (n % 100 === 0) await flush();
    }
    await flush();
    const warnings = () =>
      shown
        .join("")
        .split("\n")
        .filter((line) => line.includes("log files"));
    assert.equal(warnings().length, 1);
    assert.match(warnings()[0] ?? "", /ENOSPC.*cannot be written/);
    const before = (await lines(directory)).length;
    assert.ok(before > 100 && before < 4000);

    await rm(join(mount, "ballast"));
    await until("a line in the file again", async () => {
      log.info("after");
      await flush();
      return (await lines(directory)).at(-1)?.msg === "after";
    });
    assert.equal(warnings().length, 2);
    assert.match(warnings()[1] ?? "", /written again/);
    const after = await lines(directory);
    const gap = after.find(({ msg }) => msg === "log lines are missing here");
    assert.ok((gap?.lost ?? 0) >= 4000 - before);
    assert.equal(after.filter(({ n }) => n !== undefined).length, before, "what was written before is still there");
  });
});

test("a disk that has room for short texts only is full, and is not told to be well again each time that one fits", async () => {
  const mount = join(root, "narrow");
  await onTmpfs(mount, "size=1m", async () => {
    await writeFile(join(mount, "ballast"), Buffer.alloc(900_000));
    const states: object[] = [];
    const onChange = (state: object) => void states.push(state);
    const files = new LogFiles({
      directory: join(mount, "log"),
      name: "agent",
      maxSize: 64_000_000,
      retryMs: 0,
      onChange,
    });
    const write = (length: number) => files.write(`${"z".repeat(length)}\n`, 1).catch(() => undefined);
    for (let i = 0; i < 10; i += 1) {
      await write(500_000);
      await write(10);
    }
    assert.equal(states.length, 1);
    await rm(join(mount, "ballast"));
    await write(10);
    assert.deepEqual(states[1], { lost: 20 });
    await files.close();
  });
});

test("a directory that cannot be written at all never stops the program", async () => {
  await writeFile(join(root, "a-file"), "");
  const mount = join(root, "read-only");
  await onTmpfs(mount, "size=1m,ro", async () => {
    for (const directory of [
      join(root, "a-file"),
      join(root, "a-file", "log"),
      mount,
      "/proc/nothing",
      "/dev/null/log",
    ]) {
      const { log, flush, shown } = open(directory);
      for (let n = 0; n < 10; n++) log.info({ n }, "still here");
      await flush();
      const text = shown.join("");
      assert.equal(text.split("still here").length, 11);
      assert.equal(text.split("cannot be written").length, 2);
      assert.ok(text.includes(JSON.stringify(directory)));
    }
  });
});

test("a link in the place of the log file is not followed", async () => {
  const directory = join(root, "planted");
  await mkdir(directory);
  execFileSync("ln", ["-s", join(root, "target"), join(directory, "agent.log")]);
  const { log, flush, shown } = open(directory);
  log.info("x");
  await flush();
  await assert.rejects(stat(join(root, "target")));
  assert.match(shown.join(""), /ELOOP/);
});

test("a line that is too long for a file is counted instead of written", async () => {
  const directory = join(root, "long");
  const { log, flush } = open(directory);
  log.info("before");
  log.info("l".repeat(SMALLEST));
  log.info("after");
  await flush();
  const found = await lines(directory);
  assert.deepEqual(
    found.map(({ msg }) => msg),
    ["before", "log lines are missing here", "after"],
  );
  assert.equal(found[1]?.lost, 1);
});

test("size 0 writes no files", async () => {
  const { log, flush, shown } = open(join(root, "none"), { maxSize: 0 });
  log.warn("x");
  await flush();
  assert.equal(shown.length, 1);
  await assert.rejects(stat(join(root, "none")));
});

test("debug lines are written only when asked for", async () => {
  for (const debug of [false, true]) {
    const { log, flush, shown } = open(join(root, `debug-${debug}`), { debug });
    log.debug("detail");
    await flush();
    assert.equal(shown.length, debug ? 1 : 0);
  }
});

test("a secret reaches neither standard error nor a file, however it is logged", async () => {
  const canary = "canary-7d21e0";
  const directory = join(root, "secret");
  const { log, flush, shown } = open(directory, { debug: true });
  const secret = new Secret(canary);
  const error = Object.assign(new Error("failed", { cause: secret }), { secret, deep: { secret } });
  for (const level of ["debug", "info", "warn", "error", "fatal"] as const) {
    log[level]({ secret, deep: { list: [secret], map: { secret } } }, "field");
    log[level]("%s %o %O %j", secret as unknown as string, secret, { secret }, { secret });
    log[level]({ err: error }, "error");
    log[level](error, "as error");
    log[level](secret, "as object");
    log.child({ secret })[level]("child");
  }
  await flush();
  const text = shown.join("") + JSON.stringify(await lines(directory));
  assert.ok(text.includes("***") && !text.includes(canary));
  for (const shownText of shown) for (const line of shownText.split("\n")) assert.ok(!logText(line).includes(canary));
});

test("a record for a terminal is one line that cannot steer it", () => {
  const record = {
    level: "warn",
    time: "2025-03-01T10:00:00.000Z",
    msg: "a\u001b[2Jb\u009b1mc\nd",
    name: "x\u0007",
    count: 3,
    o: { a: "b c" },
  };
  const line = logText(JSON.stringify(record));
  assert.match(
    line,
    /^\d\d:\d\d:\d\d WARN {2}a\\x1b\[2Jb\\x9b1mc\\x0ad name=x\\x07 count=3 o="\{\\"a\\":\\"b c\\"\}"\n$/,
  );
  const failed = logText(
    JSON.stringify({ level: "error", time: 0, msg: "m", err: { message: "why not", stack: "Error\n at x" } }),
  );
  assert.match(failed, /ERROR m err="why not"\n$/);
  const fatal = logText(
    JSON.stringify({ level: "fatal", time: 0, msg: "m", err: { message: "w", stack: "Error: w\n at x" } }),
  );
  assert.match(fatal, /FATAL m Error: w \n at x\n$/);
  assert.equal(logText("not json\u001b\n"), "not json\\x1b\n");
});
