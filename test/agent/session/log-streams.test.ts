/** Followers of one log share one reading of it, and none of them can tell. */

import assert from "node:assert/strict";
import { after, before, mock, suite, test } from "node:test";
import fc from "fast-check";
import { LogStreams } from "../../../src/agent/session/log-streams.ts";
import { serveLogs } from "../../../src/agent/session/logs.ts";
import type { LogsBody } from "../../../src/protocol/open.ts";
import type { Packet } from "../../../src/protocol/packet.ts";
import { ScriptedLog, type ScriptedLogOptions } from "../../support/scripted-log.ts";
import { ScriptedRuntime } from "../../support/scripted-runtime.ts";

const ID = "a".repeat(64);
/** Turns of the event loop; what has not happened by then does not happen. */
const PATIENCE = 20_000;
/** Milliseconds that pass, for those who wait for a time, in each turn. */
const TURN_MS = 50;
/** More than a stream keeps, in lines of `WIDE`. */
const FLOOD = 100;
const WIDE = "x".repeat(65_536);

/** A log, and what serves its followers. */
class Scene {
  readonly log: ScriptedLog;
  readonly streams: LogStreams;
  readonly runtime: ScriptedRuntime;

  constructor(options?: ScriptedLogOptions) {
    this.log = new ScriptedLog(options);
    this.runtime = new ScriptedRuntime({ logs: (wanted, signal) => this.log.logs(wanted, signal) });
    this.streams = new LogStreams(this.runtime);
  }

  /** Lines with their number in the log. */
  write(count: number, stream: "stdout" | "stderr" = "stdout", width = ""): void {
    for (let i = 0; i < count; i += 1) this.log.write(`${this.log.entries.length} ${width}\n`, stream);
  }

  follow(body: Partial<LogsBody> = {}): Follower {
    return new Follower(this, { follow: true, stdout: true, stderr: true, timestamps: false, ...body });
  }

  /** Resolves when it has begun to read. */
  async join(body: Partial<LogsBody>): Promise<Follower> {
    const { opened } = this.log;
    const follower = this.follow(body);
    await until(() => this.log.opened > opened);
    return follower;
  }

  breakOff(followers: Follower[]): void {
    for (const follower of followers) follower.late ||= follower.numbers.length === 0;
    this.log.breakOff();
  }

  /** Everyone has the last line that is theirs, and some more with stamps of their own, so that the sharing is settled. */
  async settle(...followers: Follower[]): Promise<void> {
    for (let i = 0; i < 3 * this.log.perStamp; i += 1) {
      this.write(1, "stdout");
      this.write(1, "stderr");
      for (const follower of followers) await until(() => follower.numbers.at(-1) === this.lastFor(follower));
    }
  }

  lastFor({ body }: Follower): number | undefined {
    return this.log.entries.findLastIndex(({ stream }) => body[stream]);
  }
}

class Follower {
  readonly body: LogsBody;
  /** What its client was sent, the lines as their numbers. */
  readonly numbers: number[] = [];
  readonly others: Packet[] = [];
  readonly served: Promise<unknown>;
  /** Lines that were there when it began. */
  readonly joinedAt: number;
  /** The engine went away before it had anything, so that it began once more. */
  late = false;
  gone = false;
  readonly #leave = new AbortController();
  #gate: Promise<void> | undefined;
  #open: () => void = () => {};

  constructor({ log, runtime, streams }: Scene, body: LogsBody) {
    this.body = body;
    this.joinedAt = log.entries.length;
    const io = {
      id: "it",
      signal: this.#leave.signal,
      accept: () => {},
      end: () => {},
      packets: () => assert.fail("a log listens to nobody"),
      recycle: () => {},
      send: (packet: Packet) => this.#take(packet),
    };
    this.served = serveLogs(io, ID, body, { runtime, streams, engineReady: async () => {} }).catch(
      (error: unknown) => error,
    );
  }

  stall(): void {
    this.#gate ??= new Promise((resolve) => (this.#open = resolve));
  }

  goOn(): void {
    this.#open();
    this.#gate = undefined;
  }

  async leave(): Promise<void> {
    this.gone = true;
    this.goOn();
    this.#leave.abort();
    await this.served;
  }

  async #take(packet: Packet): Promise<void> {
    if (packet.type === "stdout" || packet.type === "stderr") {
      assert.ok(this.body[packet.type]);
      const lines = Buffer.from(packet.bytes).toString().trimEnd().split("\n");
      this.numbers.push(...lines.map((line) => Number.parseInt(line, 10)));
    } else if (packet.type !== "cursor") this.others.push(packet);
    await this.#gate;
  }
}

async function until(what: () => boolean): Promise<void> {
  for (let turn = 0; !what(); turn += 1) {
    assert.ok(turn < PATIENCE, `${what.toString()} did not become true`);
    await nextTurn();
  }
}

async function nextTurn(): Promise<void> {
  mock.timers.tick(TURN_MS);
  await new Promise(setImmediate);
}

/** What it was sent is its part of the log, whole and in order, from where it began. */
function assertWhole({ log }: Scene, { body, numbers, others, joinedAt, late }: Follower): void {
  const begin = body.tail === undefined ? 0 : Math.max(0, joinedAt - body.tail);
  const own = log.entries.flatMap(({ stream }, number) => (body[stream] && number >= begin ? [number] : []));
  const from = late && numbers[0] !== undefined ? own.indexOf(numbers[0]) : 0;
  assert.deepEqual(numbers, own.slice(from, from + numbers.length));
  assert.deepEqual(others, []);
}

suite("followers of one log", () => {
  before(() => mock.timers.enable({ apis: ["setTimeout"] }));
  after(() => mock.timers.reset());

  test("share one reading once they have come to the same place", async () => {
    const scene = new Scene();
    scene.write(100);
    const bodies = [{}, { tail: 5 }, { stderr: false }, {}];
    const followers = await Promise.all(bodies.map((body) => scene.join(body)));
    await scene.settle(...followers);
    assert.equal(scene.log.readings, 1);
    for (const follower of followers) assertWhole(scene, follower);
    await followers[0]?.leave();
    await scene.settle(...followers.slice(1));
    assert.equal(scene.log.readings, 1);
    for (const follower of followers) await follower.leave();
    await until(() => scene.log.readings === 0);
  });

  test("are not held up by one that stalls, which goes on by itself and comes back to them", async () => {
    const scene = new Scene();
    scene.write(10);
    const [slow, quick] = [scene.follow(), scene.follow()];
    await scene.settle(slow, quick);
    slow.stall();
    scene.write(FLOOD, "stdout", WIDE);
    await scene.settle(quick);
    assert.ok((slow.numbers.at(-1) ?? 0) < FLOOD);
    slow.goOn();
    await scene.settle(slow, quick);
    assert.equal(scene.log.readings, 1);
    for (const follower of [slow, quick]) assertWhole(scene, follower);
    await Promise.all([slow.leave(), quick.leave()]);
  });

  test("that lose their reading together go on together", async () => {
    const scene = new Scene();
    scene.write(10);
    const followers = Array.from({ length: 20 }, () => scene.follow());
    await scene.settle(...followers);
    const { opened } = scene.log;
    scene.log.breakOff();
    await until(() => scene.log.readings === 0);
    scene.write(5);
    await until(() => followers.every(({ numbers }) => numbers.length === scene.log.entries.length));
    await scene.settle(...followers);
    assert.ok(scene.log.opened - opened <= 5, `${scene.log.opened - opened} readings were opened`);
    for (const follower of followers) assertWhole(scene, follower);
    await Promise.all(followers.map((follower) => follower.leave()));
  });

  test("hear of lines that were removed before they could be read", async () => {
    const scene = new Scene();
    scene.write(10);
    const [slow, quick] = [scene.follow(), scene.follow()];
    await scene.settle(slow, quick);
    slow.stall();
    scene.write(FLOOD, "stdout", WIDE);
    await scene.settle(quick);
    scene.log.rotate(5);
    const [before, first] = [slow.numbers.at(-1) ?? 0, scene.log.entries.length - 5];
    slow.goOn();
    await scene.settle(slow);
    const [from, to] = [scene.log.entries[before]?.time, scene.log.entries[first]?.time];
    const [gap] = slow.others;
    assert.ok(gap?.type === "gap" && slow.others.length === 1);
    assert.deepEqual([gap.gap.from, gap.gap.to], [from, to]);
    assert.equal(slow.numbers[slow.numbers.indexOf(before) + 1], first);
    assert.deepEqual(quick.others, []);
    await Promise.all([slow.leave(), quick.leave()]);
  });

  test("that begin among lines of one stamp are not taken to be elsewhere among them", async () => {
    const scene = new Scene({ perStamp: 8 });
    scene.write(13);
    const [whole, part] = [await scene.join({}), await scene.join({ tail: 2 })];
    await scene.settle(whole, part);
    for (const follower of [whole, part]) assertWhole(scene, follower);
    await Promise.all([whole.leave(), part.leave()]);
  });

  for (const perStamp of [1, 4])
    test(`get every line once, whatever happens, with ${perStamp} lines to a stamp`, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), async (steps, batch) => {
          const scene = new Scene({ perStamp, batch });
          const followers: Follower[] = [];
          for (const { act, who, count } of steps) {
            const follower = followers[who % followers.length];
            if (act === "join") followers.push(await scene.join(bodyOf(count, perStamp)));
            else if (act === "flood") scene.write(FLOOD, "stderr", WIDE);
            else if (act === "write") scene.write(count, who % 3 === 0 ? "stderr" : "stdout");
            else if (act === "break") scene.breakOff(followers);
            else if (act === "turn") for (let turn = 0; turn < count; turn += 1) await nextTurn();
            else if (act === "leave" && follower) await follower.leave();
            else if (act === "stall") follower?.stall();
            else follower?.goOn();
          }
          const left = followers.filter(({ gone }) => !gone);
          for (const follower of left) follower.goOn();
          await scene.settle(...left);
          await until(() => scene.log.readings === Math.min(left.length, 1));
          for (const follower of followers) assertWhole(scene, follower);
          await Promise.all(left.map((follower) => follower.leave()));
          await until(() => scene.log.readings === 0);
        }),
        { numRuns: 100 },
      );
    });
});

const step = fc.record({
  act: fc.constantFrom("join", "join", "write", "write", "write", "turn", "leave", "stall", "go on", "flood", "break"),
  who: fc.nat(20),
  count: fc.nat(30),
});

/** With several lines to a stamp a reader that begins among them cannot count them, so that one begins at the beginning. */
function bodyOf(kind: number, perStamp: number): Partial<LogsBody> {
  const streams = [{}, {}, { stdout: false }, { stderr: false }][kind % 4];
  return { ...streams, ...(perStamp === 1 && kind % 3 === 1 && { tail: kind }) };
}
