/** Followers of one log come, go, stall and are let down by the engine; each gets its lines once and in order, or hears what is missing. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Client } from "../../src/client/client.ts";
import type { RemoteSession } from "../../src/client/session.ts";
import type { LogsBody } from "../../src/protocol/open.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { EngineDoor } from "./engine-door.ts";
import { seeded } from "./pattern.ts";
import { carries, connectTo } from "./stage.ts";

const SEED = Number(process.env["FAIRLEAD_SEED"] ?? Date.now() % 1_000_000);
/** Followers that come and go in one test. */
const FOLLOWERS = 40;
/** Milliseconds between two of them at most. */
const PAUSE = 100;
/** Milliseconds in which an engine has written 160,000 lines and told of them, on a machine that is busy too. */
const BURSTS_MS = 120_000;
/** Small files, so that a test sees many rotations, and enough of them for a machine that is busy. */
const ROTATED = ["--log-opt", "max-size=20k", "--log-opt", "max-file=10"];
/** Numbered lines for ever, a thousand a second at most. */
const COUNTING = "i=0; while :; do echo $i; i=$((i+1)); [ $((i % 10)) -ne 0 ] || usleep 10000; done";

/** A follower whose lines are numbers. */
class Follower {
  readonly numbers: number[] = [];
  /** How many lines it had when it heard that some are missing. */
  readonly gaps: number[] = [];
  readonly #session: RemoteSession;
  readonly #read: Promise<void>;

  static async open(client: Client, container: string, body: Partial<LogsBody> = {}): Promise<Follower> {
    const all = { follow: true, stdout: true, stderr: true, timestamps: false };
    return new Follower(await client.logs(container, { ...all, ...body }));
  }

  /** `begin` is when it reads its first packet. */
  constructor(session: RemoteSession, begin: Promise<unknown> = Promise.resolve()) {
    this.#session = session;
    this.#read = begin.then(() => this.#readAll());
    this.#read.catch(() => {});
  }

  async more(lines = 1): Promise<void> {
    const wanted = this.numbers.length + lines;
    await until(`${lines} lines more`, () => this.numbers.length >= wanted);
  }

  async close(): Promise<void> {
    await this.#session.close();
    await this.#read;
  }

  assertWhole(): void {
    assert.deepEqual(this.gaps, []);
    this.assertHonest();
  }

  /** It has its lines once and in order, and was told wherever some are missing. */
  assertHonest(): void {
    for (const [i, from] of [0, ...this.gaps].entries())
      assert.equal(firstBreak(this.numbers.slice(from, this.gaps[i])), undefined);
    const sorted = this.numbers.every((number, i) => i === 0 || number > (this.numbers[i - 1] ?? 0));
    assert.ok(sorted, "a line came twice, or out of order");
  }

  async #readAll(): Promise<void> {
    let rest = "";
    for await (const packet of this.#session.packets()) {
      if (packet.type === "gap") this.gaps.push(this.numbers.length);
      if (packet.type !== "stdout") continue;
      const lines = (rest + Buffer.from(packet.bytes).toString()).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.numbers.push(Number.parseInt(line, 10));
    }
  }
}

/** Where the numbers do not follow each other; told in a few words, because there are many. */
function firstBreak(numbers: number[]): string | undefined {
  const at = numbers.findIndex((number, i) => i > 0 && number !== (numbers[i - 1] ?? 0) + 1);
  return at < 0 ? undefined : `${numbers[at - 1]} is followed by ${numbers[at]}, as line ${at}`;
}

suite("the followers of a log", () => {
  let engine: Engine;
  let door: EngineDoor;
  let agent: TestAgent;
  let client: Client;

  before(async () => {
    engine = await sharedEngine();
    door = await EngineDoor.open(engine.socket);
    agent = await startAgent({ engine: door });
    client = connectTo(agent);
  });

  after(async () => {
    await client.close();
    await agent.stop();
    await door[Symbol.asyncDispose]();
  });

  async function withContainer(name: string, script: string, work: () => Promise<void>, args: string[] = []) {
    await engine.run(name, { command: ["sh", "-c", script], args });
    try {
      await work();
      await carries(agent, 0);
    } finally {
      await engine.docker("rm", "--force", name);
    }
  }

  for (const [what, args] of [
    ["", []],
    [" that is rotated all the time", ROTATED],
  ] as const)
    test(`of a log${what} share one reading, come and go as they like, and get every line once (seed ${SEED})`, () =>
      withContainer(
        "fault-logs-crowd",
        COUNTING,
        async () => {
          const random = seeded(SEED);
          const followers: Follower[] = [];
          const left: Follower[] = [];
          for (let i = 0; i < FOLLOWERS; i += 1) {
            followers.push(await Follower.open(client, "fault-logs-crowd", random() < 0.5 ? { tail: 5 } : {}));
            const [leaving] = random() < 0.4 ? followers.splice(Math.floor(random() * followers.length), 1) : [];
            await leaving?.close();
            if (leaving) left.push(leaving);
            await new Promise((resolve) => setTimeout(resolve, random() * PAUSE));
          }
          await Promise.all(followers.map((follower) => follower.more(100)));
          await until("one reading for all", () => door.follows === 1);
          await Promise.all(followers.map((follower) => follower.close()));
          for (const follower of [...followers, ...left]) follower.assertWhole();
          await until("no reading for nobody", () => door.follows === 0);
        },
        [...args],
      ));

  test("go on where they were when the engine stops delivering, which it does not say", () =>
    withContainer("fault-logs-silence", COUNTING, async () => {
      const names = ["a", "b", "c"];
      const followers = await Promise.all(names.map(() => Follower.open(client, "fault-logs-silence")));
      await Promise.all(followers.map((follower) => follower.more(100)));
      await until("one reading for all", () => door.follows === 1);
      door.silence();
      const last = followers[0]?.numbers.at(-1) ?? 0;
      await until("going on", () => followers.every(({ numbers }) => (numbers.at(-1) ?? 0) > last + 3_000));
      await Promise.all(followers.map((follower) => follower.close()));
      for (const follower of followers) follower.assertWhole();
    }));

  test("hear exactly what is missing when it was rotated away while they were held up", () => {
    const name = "fault-logs-held-up";
    const line = "x".repeat(100);
    const bursts = `for i in $(seq 0 39); do seq $((i * 4000)) $((i * 4000 + 3999)) | sed 's/$/ ${line}/'; usleep 100000; done`;
    const script = `read x; ${bursts}; read x; echo 160000; sleep 1000`;
    return withContainer(
      name,
      script,
      async () => {
        const attached = await client.attach(name, { stdin: true, stdout: false, stderr: false });
        const enter = () => attached.send({ type: "stdin", bytes: Buffer.from("\n") });
        let begin: () => void = () => {};
        const begun = new Promise<void>((resolve) => (begin = resolve));
        const quick = await Follower.open(client, name);
        const all = { follow: true, stdout: true, stderr: true, timestamps: false };
        const slow = new Follower(await connectTo(agent).logs(name, all), begun);
        await enter();
        await until("the last burst", () => quick.numbers.at(-1) === 159_999, { patience: BURSTS_MS });
        const kept = await engine.docker("logs", name);
        begin();
        await until("the slow one's last line", () => slow.numbers.at(-1) === 159_999, { patience: BURSTS_MS });
        await enter();
        for (const follower of [quick, slow]) await until("the end", () => follower.numbers.at(-1) === 160_000);
        // As quick as it is, an engine that is busy may skip more than it keeps.
        quick.assertHonest();
        slow.assertHonest();
        const [gap = 0] = slow.gaps;
        assert.equal(slow.gaps.length, 1);
        assert.deepEqual([slow.numbers[0], slow.numbers[gap]], [0, Number.parseInt(kept, 10)]);
        for (const follower of [quick, slow]) await follower.close();
        await attached.close();
      },
      ["-i", "--log-opt", "max-size=1m", "--log-opt", "max-file=10"],
    );
  });
});
