import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { promisify } from "node:util";
import { AuditLog, type AuditLogOptions, type Trouble } from "../../src/audit/audit-log.ts";
import { auditFiles } from "../../src/audit/files.ts";
import { unseal } from "../../src/audit/record.ts";
import { verify } from "../../src/audit/verify.ts";
import type { AuditLine } from "../../src/protocol/audit.ts";
import { recordsIn } from "../support/audit.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);
const OPEN: AuditLine = { event: "open", session: "s1", kind: "exec", subject: "local", remote: "here" };
const END: AuditLine = { ...OPEN, event: "end", outcome: "exit 0" };
const MEBIBYTE = 1_048_576;

suite("the audit log", () => {
  let directory: string;
  let troubles: Trouble[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "fl-audit-"));
    troubles = [];
  });
  afterEach(() => rm(directory, { recursive: true }));

  const start = (more: Partial<AuditLogOptions> = {}) =>
    AuditLog.open({
      program: "agent",
      directory,
      maxSize: MEBIBYTE,
      maxAge: 0,
      required: new Set(["exec"]),
      version: "1.2.3",
      onTrouble: (trouble) => troubles.push(trouble),
      ...more,
    });

  /** Leaves the files as an agent that was killed does: without the last word. */
  const kill = async (log: AuditLog) => {
    await log.close();
    const lines = (await readFile(join(directory, "audit.log"), "utf8")).split("\n").slice(0, -2);
    await writeFile(join(directory, "audit.log"), `${lines.join("\n")}\n`);
    await writeFile(join(directory, "audit.head"), JSON.stringify(unseal(lines.at(-1) ?? "")));
  };

  test("is one chain over a start, an end and a start again", async () => {
    for (let i = 0; i < 2; i += 1) {
      const log = await start();
      log.append(OPEN);
      log.append(END);
      await log.close();
    }
    const events = (await recordsIn(directory)).map(({ seq, event }) => `${seq} ${event}`);
    const told = "1 agent-started, 2 open, 3 end, 4 agent-ended, 5 agent-started, 6 open, 7 end, 8 agent-ended";
    assert.equal(events.join(", "), told);
    assert.deepEqual((await verify(await auditFiles(directory))).faults, []);
  });

  test("keeps whatever a stranger says in one line, and lets nothing of it steer a terminal", async () => {
    const log = await start();
    const command = ["sh", "-c", "a\nb\r\u001b[2J\u007f\u009b\u202e\u2028\u{e0001}"];
    await log.appendNow({ ...OPEN, command });
    await log.close();
    const text = await readFile(join(directory, "audit.log"), "utf8");
    assert.match(text, /^[\n\x20-\x7e]*$/);
    assert.deepEqual((await recordsIn(directory)).find(({ event }) => event === "open")?.command, command);
  });

  test("ends what was open when the agent was killed, and cuts off a record that was never finished", async () => {
    const log = await start();
    log.append(OPEN);
    log.append({ ...OPEN, session: "s2" });
    log.append(END);
    await kill(log);
    await appendFile(join(directory, "audit.log"), '{"seq":5,"time":"20');
    const again = await start();
    await again.close();
    const records = await recordsIn(directory);
    const [restarted, ended] = records.slice(4);
    assert.deepEqual([restarted?.event, restarted?.unfinished, restarted?.missing], ["agent-restarted", 19, 0]);
    assert.deepEqual([ended?.event, ended?.session, ended?.outcome], ["end", "s2", "agent-restarted"]);
    const counted = (event: string) => records.filter((record) => record.event === event).length;
    assert.equal(counted("open"), counted("end"));
    assert.deepEqual((await again.verify()).faults, []);
    assert.deepEqual(troubles, [{ missing: 0, unfinished: 19 }]);
  });

  test("notices at its start that records at the end are gone, and keeps that visible", async () => {
    const log = await start();
    log.append(OPEN);
    log.append(END);
    await kill(log);
    const path = join(directory, "audit.log");
    const lines = (await readFile(path, "utf8")).split("\n");
    await writeFile(path, `${lines.slice(0, 2).join("\n")}\n`);
    assert.deepEqual(wordsOf(await verify([path])), ["audit.log:3: record 3 is missing at the end"]);
    const again = await start();
    await again.close();
    assert.deepEqual(troubles, [{ missing: 1, unfinished: 0 }]);
    assert.deepEqual(wordsOf(await again.verify()), ["audit.log:3: record 3 is missing before it"]);
  });

  test("removes nothing before its bound, and tells what it removes then", async () => {
    const log = await start();
    const big = { ...OPEN, command: ["x".repeat(4_000)] };
    for (let i = 0; i < 300; i += 1) await log.appendNow(big);
    const removed = (await recordsIn(directory)).filter(({ event }) => event === "removed");
    assert.deepEqual(
      troubles.map((it) => "removed" in it && it.bound).filter(Boolean),
      removed.map(() => "size"),
    );
    assert.ok(removed.length > 0);
    await log.close();
    const records = await recordsIn(directory);
    assert.equal(records[0]?.seq, (records.findLast(({ event }) => event === "removed")?.through ?? 0) + 1);
    const bytes = await Promise.all((await auditFiles(directory)).map(async (file) => (await readFile(file)).length));
    const total = bytes.reduce((sum, size) => sum + size, 0);
    assert.ok(total <= MEBIBYTE && total > MEBIBYTE / 2, `${total} bytes`);
    assert.deepEqual((await log.verify()).faults, []);
  });

  test("removes what is older than it may be", async () => {
    const log = await start();
    for (let i = 0; i < 70; i += 1) await log.appendNow({ ...OPEN, command: ["x".repeat(4_000)] });
    await log.close();
    const later = await start({ maxAge: 1 });
    await later.close();
    assert.deepEqual(
      troubles.map((it) => "removed" in it && it.bound),
      ["age"],
    );
    assert.deepEqual((await later.verify()).faults, []);
  });

  test("tells a listener each record once it is written", async () => {
    const log = await start();
    const heard: (string | undefined)[] = [];
    const leave = log.listen((text) => heard.push(unseal(text.trimEnd())?.event));
    await log.appendNow(OPEN);
    leave();
    await log.close();
    assert.deepEqual(heard, ["agent-started", "open"]);
  });
});

suite("a changed audit log", () => {
  const DAMAGE: Record<string, { change: (lines: string[]) => string[]; found: RegExp[] }> = {
    "is found where a bit was flipped": {
      change: (lines) => lines.map((line, i) => (i === 4 ? line.replace("local", "lccal") : line)),
      found: [/^audit.log:5: the line was changed/],
    },
    "is found where a line was taken out": {
      change: (lines) => lines.filter((_, i) => i !== 4),
      found: [/^audit.log:5: record 5 is missing before it/],
    },
    "is found where two lines changed places": {
      change: ([a = "", b = "", c = "", d = "", ...rest]) => [a, b, d, c, ...rest],
      found: [/^audit.log:3: record 3 is missing/, /^audit.log:4: record 3 stands after 4/, /:5: .* missing/],
    },
    "is found where a line was cut off": {
      change: (lines) => lines.map((line, i) => (i === 4 ? line.slice(0, 30) : line)),
      found: [/^audit.log:5: the line was changed or cut off/],
    },
    "is found where a line was written anew with a hash of its own": {
      change: (lines) => lines.map((line, i) => (i === 4 ? (lines[5] ?? "").replace('"seq":6', '"seq":5') : line)),
      found: [/^audit.log:5: the line was changed/],
    },
    "is found where its beginning was taken away": {
      change: (lines) => lines.slice(3),
      found: [/^audit.log:1: the records 1 to 3 are missing, and none tells/],
    },
    "is found where its end was taken away": {
      change: (lines) => lines.slice(0, -2),
      found: [/^audit.log:9: the records 9 to 10 are missing at the end/],
    },
  };

  for (const [name, { change, found }] of Object.entries(DAMAGE))
    test(name, async (t) => {
      const directory = await mkdtemp(join(tmpdir(), "fl-audit-"));
      t.after(() => rm(directory, { recursive: true }));
      const options = { directory, maxSize: MEBIBYTE, maxAge: 0, required: new Set<string>(), version: "1" };
      const log = await AuditLog.open({ ...options, program: "agent", onTrouble: () => undefined });
      for (let i = 0; i < 4; i += 1) for (const line of [OPEN, END]) log.append({ ...line, session: `s${i}` });
      await log.close();
      const path = join(directory, "audit.log");
      const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
      await writeFile(path, `${change(lines).join("\n")}\n`);
      const words = wordsOf(await verify([path]));
      assert.equal(words.length, found.length, words.join("\n"));
      for (const [i, pattern] of found.entries()) assert.match(words[i] ?? "", pattern);
    });
});

suite("an audit log on a full disk", () => {
  let disk: string;
  before(async () => {
    disk = await mkdtemp(join(tmpdir(), "fl-disk-"));
    await run("mount", ["-t", "tmpfs", "-o", "size=256k", "tmpfs", disk]);
  });
  after(async () => {
    await run("umount", [disk]);
    await rm(disk, { recursive: true });
  });

  test("refuses what must be written first, keeps the rest, and goes on when there is room", async () => {
    const troubles: Trouble[] = [];
    const options = { directory: disk, maxSize: MEBIBYTE, maxAge: 0, required: new Set(["exec"]), version: "1" };
    const log = await AuditLog.open({ ...options, program: "agent", onTrouble: (trouble) => troubles.push(trouble) });
    await log.record({ ...OPEN, session: "before" });
    await assert.rejects(writeFile(join(disk, "filler"), Buffer.alloc(MEBIBYTE)), { code: "ENOSPC" });
    const words = ["x".repeat(4_000)];
    await assert.rejects(async () => log.record({ ...OPEN, command: words }), { code: "audit-unavailable" });
    assert.equal(log.record({ ...OPEN, kind: "logs", session: "meanwhile", command: words }), undefined);
    await assert.rejects(async () => log.record({ ...OPEN, command: words }), { code: "audit-unavailable" });
    await rm(join(disk, "filler"));
    await until("the log going on", async () => (await recordsIn(disk)).some(({ session }) => session === "meanwhile"));
    await log.record({ ...OPEN, session: "after" });
    await log.close();
    assert.deepEqual(
      (await recordsIn(disk)).flatMap(({ event, session }) => (event === "open" ? session : [])),
      ["before", "meanwhile", "after"],
    );
    assert.deepEqual((await log.verify()).faults, []);
    assert.ok(troubles.some((it) => "broken" in it));
  });
});

function wordsOf({ faults }: Awaited<ReturnType<typeof verify>>): string[] {
  return faults.map(({ file, line, words }) => `${file}:${line}: ${words}`);
}
