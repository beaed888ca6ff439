import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { after, before, suite, test } from "node:test";
import { carries } from "../fault/stage.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine, startEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";

/** What curl ends with: a good end, an HTTP error (with --fail), and an answer that broke off. */
const OK = 0;
const REFUSED = 22;
const BROKEN_OFF = 18;
const MEBIBYTE = 1_048_576;
const LINES = 150_000;
/** The pause lets the engine have the two streams in their order. */
const NUMBERED = "echo error >&2; usleep 500000; for i in 1 2 3 4 5; do echo line $i; done";
/** 100 bytes a line; the last one is another. */
const LONG = `yes ${"x".repeat(99)} | head -n ${LINES - 1}; echo ${"y".repeat(99)}; exec sleep 1000000`;
/** Milliseconds in which an engine has written all of it. */
const WRITTEN_MS = 120_000;
const TICKING = "i=0; while :; do i=$((i+1)); echo tick $i; usleep 20000; done";

class Curl {
  readonly child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #bytes = 0;
  #head = "";

  constructor({ url, token }: TestAgent, path: string, ...flags: string[]) {
    const args = ["-sN", "-H", `Authorization: Bearer ${token}`, ...flags, `${url}/api/v1/containers/${path}`];
    this.child = spawn("curl", args, { stdio: ["ignore", "pipe", "ignore"] });
    this.child.stdout?.on("data", (bytes: Buffer) => {
      this.#bytes += bytes.length;
      if (this.#head.length < MEBIBYTE) this.#head += bytes.toString();
    });
    this.#ended = once(this.child, "close").then(([code]) => code as number | null);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Its first mebibyte. */
  get said(): string {
    return this.#head;
  }

  async says(words: string): Promise<void> {
    await until(`curl saying ${words}`, () => this.#head.includes(words));
  }

  async ends(): Promise<{ code: number | null; said: string }> {
    return { code: await this.#ended, said: this.#head };
  }
}

async function residentBytes({ pid }: TestAgent): Promise<number> {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1_024;
}

async function runLong(engine: Engine): Promise<void> {
  await engine.run("curl-long", { command: ["sh", "-c", LONG] });
  const last = () => engine.docker("logs", "--tail", "1", "curl-long");
  await until("the end of a long log", async () => (await last()).startsWith("y"), { patience: WRITTEN_MS });
}

suite("curl", () => {
  let engine: Engine;
  let agent: TestAgent;

  before(async () => {
    engine = await sharedEngine();
    await engine.run("curl-done", { command: ["sh", "-c", NUMBERED] });
    await runLong(engine);
    agent = await startAgent({ engine });
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "curl-done", "curl-long");
  });

  test("reads a log as docker does", async () => {
    const whole = await new Curl(agent, "curl-done/logs?follow=true").ends();
    assert.deepEqual(whole, { code: OK, said: "error\nline 1\nline 2\nline 3\nline 4\nline 5\n" });
    const tail = await new Curl(agent, "curl-done/logs?tail=2&stdout=true&timestamps=1").ends();
    assert.match(tail.said, /^\S+T\S+Z line 4\n\S+T\S+Z line 5\n$/);
    const errors = await new Curl(agent, "curl-done/logs?stderr=true").ends();
    assert.equal(errors.said, "error\n");
    const [, time = ""] = /\n(\S+) line 3\n/.exec(await engine.docker("logs", "--timestamps", "curl-done")) ?? [];
    const since = await new Curl(agent, `curl-done/logs?stderr=false&since=${time}`).ends();
    assert.equal(since.said, "line 3\nline 4\nline 5\n");
    await carries(agent, 0);
  });

  test("is told in words what is wrong", async () => {
    const absent = await new Curl(agent, "no-such/logs", "--fail-with-body").ends();
    assert.equal(absent.code, REFUSED);
    assert.equal((JSON.parse(absent.said) as { code: string }).code, "not-found");
    const wrong = await new Curl(agent, "curl-done/logs?tail=many", "--fail-with-body").ends();
    assert.equal(wrong.code, REFUSED);
    assert.equal((JSON.parse(wrong.said) as { code: string }).code, "bad-request");
  });

  test("follows a log until the container stops, and then ends well", async () => {
    await engine.run("curl-ticking", { command: ["sh", "-c", TICKING] });
    const curl = new Curl(agent, "curl-ticking/logs?follow=true");
    await curl.says("tick 20\n");
    await engine.docker("kill", "curl-ticking");
    const { code, said } = await curl.ends();
    assert.deepEqual([code, said], [OK, `${await engine.docker("logs", "curl-ticking")}\n`]);
    await engine.docker("rm", "curl-ticking");
  });

  test("that is stopped holds no memory and nobody else up, and goes on where it was", async () => {
    const whole = async () => {
      const other = new Curl(agent, `curl-long/logs?tail=${LINES}`);
      assert.equal((await other.ends()).code, OK);
      assert.equal(other.bytes, LINES * 100);
    };
    // What one more reader takes for good, the first has taken already.
    await whole();
    const stopped = Array.from({ length: 2 }, () => new Curl(agent, "curl-long/logs?follow=true"));
    try {
      await Promise.all(stopped.map((curl) => curl.says("x")));
      for (const { child } of stopped) child.kill("SIGSTOP");
      const before = await residentBytes(agent);
      await whole();
      const grown = (await residentBytes(agent)) - before;
      assert.ok(grown < 64 * MEBIBYTE, `grown by ${grown} bytes`);
      for (const { child } of stopped) child.kill("SIGCONT");
      await until("reading on", () => stopped.every(({ bytes }) => bytes === LINES * 100));
    } finally {
      for (const { child } of stopped) child.kill("SIGKILL");
    }
    await carries(agent, 0);
  });

  test("is cut when the engine breaks off in the middle, and told so", async () => {
    await using own = await startEngine();
    const flags = ["--limit-rate", "2M"];
    await runLong(own);
    const beside = await startAgent({ engine: own });
    const curl = new Curl(beside, "curl-long/logs", ...flags);
    await curl.says("x");
    await own.kill("SIGKILL");
    const { code } = await curl.ends();
    assert.equal(code, BROKEN_OFF);
    assert.ok(curl.bytes < LINES * 100);
    await beside.stop();
  });

  test("is cut when the agent is killed or told to end, and told so", async () => {
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      const beside = await startAgent({ engine, flags: ["--shutdown-grace", "100ms"] });
      const curl = new Curl(beside, "curl-long/logs?follow=true&tail=1");
      await curl.says("y\n");
      beside.kill(signal);
      assert.equal((await curl.ends()).code, BROKEN_OFF);
      await beside.stop();
    }
  });
});
