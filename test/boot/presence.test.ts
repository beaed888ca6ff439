/** One program for one state directory, however its rivals are counted, and the next one as soon as it is gone. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, suite, test } from "node:test";
import { fileURLToPath } from "node:url";

const CLAIMANT = [process.execPath, fileURLToPath(new URL("claimant.ts", import.meta.url))];
/** As in a container: it is the first process there, and sees no other. */
const ALONE = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
const RIVALS = 5;

suite("the claim to a state directory", () => {
  const children: ChildProcess[] = [];
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "fl-presence-"));
  });
  afterEach(() => rm(directory, { recursive: true }));
  after(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  /** Resolves with the process and what it says. */
  async function claim(before: readonly string[] = []): Promise<{ child: ChildProcess; said: string }> {
    const [file, ...args] = [...before, ...CLAIMANT, directory];
    const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const [bytes] = (await once(child.stdout, "data")) as [Buffer];
    return { child, said: bytes.toString() };
  }

  async function killed({ child }: { child: ChildProcess }): Promise<void> {
    const inside = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, "utf8")).trim();
    process.kill(inside === "" ? (child.pid ?? 0) : Number(inside), "SIGKILL");
    await once(child, "exit");
  }

  for (const [where, before] of Object.entries({ "beside it": [], "in a pid namespace of its own": ALONE }))
    test(`refuses a second one ${where}, in words that name the first, and is free once that was killed`, async () => {
      const first = await claim(before);
      assert.equal(first.said, "claimed\n");
      const pid = before.length > 0 ? 1 : first.child.pid;
      const refusal = `An agent already runs with the state in ${directory} (pid ${pid} on ${hostname()}, http://127.0.0.1:9090); end it, or give this one another data_dir.\n`;
      assert.equal((await claim(before)).said, refusal);
      assert.equal((await claim()).said, refusal);
      await killed(first);
      const next = await claim(before);
      assert.equal(next.said, "claimed\n");
      assert.equal((await claim(before)).said.split(" (")[0], refusal.split(" (")[0]);
      await killed(next);
    });

  test(`is one's when ${RIVALS} come at once, after one that was killed too`, async () => {
    for (const _ of ["fresh", "left behind"]) {
      const all = await Promise.all(Array.from({ length: RIVALS }, () => claim(ALONE)));
      const winners = all.filter(({ said }) => said === "claimed\n");
      assert.equal(winners.length, 1, all.map(({ said }) => said).join(""));
      // Who it is stands there only once its door is open.
      for (const { said } of all.filter((claimant) => !winners.includes(claimant))) {
        const [words, rest] = said.split(directory);
        assert.equal(words, "An agent already runs with the state in ", said);
        assert.match(rest ?? "", /^( \(pid 1 on .+\))?; end it, or give this one another data_dir\.\n$/);
      }
      for (const winner of winners) await killed(winner);
    }
  });

  test("is free after an orderly end, and whatever stands in its file", async () => {
    const first = await claim();
    first.child.stdin?.end();
    await once(first.child, "exit");
    await writeFile(join(directory, "agent.json"), '{"pid":1,"url":', { mode: 0o600 });
    const second = await claim();
    assert.equal(second.said, "claimed\n");
    await killed(second);
  });
});
