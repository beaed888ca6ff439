import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const DAY = 86_400;
const SCRIPT = `
  import { sinceBoot } from ${JSON.stringify(new URL("../../src/auth/clock.ts", import.meta.url).href)};
  console.log(sinceBoot());`;

/** What it tells in a process in front of which these clocks of the kernel are so many seconds ahead. */
async function told({ boottime, monotonic }: { boottime: number; monotonic: number }): Promise<number> {
  const ahead = ["--boottime", String(boottime), "--monotonic", String(monotonic)];
  const node = [process.execPath, "--input-type=module", "--eval", SCRIPT];
  const { stdout } = await promisify(execFile)("unshare", ["--time", ...ahead, "--fork", ...node]);
  return Number(stdout);
}

test("the clock that nobody sets counts what the machine slept, in whole milliseconds", async () => {
  const awake = await told({ boottime: 0, monotonic: DAY });
  const slept = await told({ boottime: DAY, monotonic: 0 });
  assert.ok(Number.isSafeInteger(slept), String(slept));
  assert.ok(Math.abs(slept - awake - DAY * 1_000) < 60_000, `${slept - awake} ms`);
});
