/** Two ends of a sequence under every order of sending, reading, delivering, cutting and resuming that a machine can think of. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Budget } from "../../src/mux/budget.ts";
import type { Channel } from "../../src/mux/channel.ts";
import { Mux } from "../../src/mux/mux.ts";
import { Sequence } from "../../src/mux/sequence.ts";
import type { Transport, TransportEvents } from "../../src/mux/transport.ts";

type Side = "a" | "b";
const other = { a: "b", b: "a" } as const;
/** A window and one message: what one end may have unread at most. */
const MOST_UNREAD = 65_536 + 131_072;

/** All that has to be known to say what must arrive: how many packets each side sent. */
interface Model {
  sent: Record<Side, number>;
}

/** A wire that delivers only when told, so that a cut can lose any suffix of what is under way. */
class Wire {
  readonly queues: Record<Side, Uint8Array[]> = { a: [], b: [] };
  readonly events: Partial<Record<Side, TransportEvents>> = {};
  open = true;

  end(side: Side): Transport {
    return {
      buffered: 0,
      send: (frame) => {
        if (this.open) this.queues[other[side]].push(frame.slice());
      },
      start: (events) => {
        this.events[side] = events;
      },
      close: (_code, reason) => this.cut(reason),
    };
  }

  deliver(side: Side, count: number): void {
    for (const bytes of this.queues[side].splice(0, count)) if (this.open) this.events[side]?.message(bytes);
  }

  cut(reason: string): void {
    if (!this.open) return;
    this.open = false;
    for (const side of ["a", "b"] as const) this.events[side]?.close({ code: 1006, reason });
  }
}

class Real {
  wire = new Wire();
  readonly budget = new Budget(1024 * 1024);
  readonly problems: string[] = [];
  readonly ends: Record<Side, Sequence>;
  readonly readers: Record<Side, AsyncGenerator<{ tag: number; payload: Uint8Array }>>;
  readonly got: Record<Side, number[]> = { a: [], b: [] };
  readonly reading: Record<Side, Promise<void>> = { a: Promise.resolve(), b: Promise.resolve() };

  constructor() {
    const make = () => new Sequence({ budget: this.budget });
    this.ends = { a: make(), b: make() };
    this.readers = { a: this.ends.a.receive(), b: this.ends.b.receive() };
    this.connect();
  }

  connect(): void {
    this.wire = new Wire();
    const common = { software: "model", budget: this.budget };
    const accept = (channel: Channel) => this.ends.b.attach(channel, this.ends.a.received, { reply: Uint8Array.of(1) });
    const b = new Mux(this.wire.end("b"), { role: "listener", accept, ...common });
    const a = new Mux(this.wire.end("a"), { role: "dialler", ...common });
    for (const mux of [a, b])
      void mux.closed.then(({ reason }) => {
        if (reason !== "model") this.problems.push(reason);
      });
    const channel = a.open({ header: new Uint8Array(0), body: new Uint8Array(0) });
    // What the other end has is known here at once; a real client learns it from the answer.
    const received = this.ends.b.received;
    channel.start({
      message() {},
      credit() {},
      ack() {},
      close() {},
      reply: () => this.ends.a.attach(channel, received),
    });
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One thing that happens, and its words for whoever reads a counterexample. */
class Step implements fc.AsyncCommand<Model, Real> {
  readonly #words: string;
  readonly #act: (model: Model, real: Real) => Promise<void>;

  constructor(words: string, act: (model: Model, real: Real) => Promise<void>) {
    this.#words = words;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    await this.#act(model, real);
    checkOrder(real);
  }

  toString(): string {
    return this.#words;
  }
}

/** `length` stays below the size at which a packet would be split, so that one in is one out. */
function send(model: Model, real: Real, { side, length }: { side: Side; length: number }): Promise<void> {
  const payload = new Uint8Array(4 + length);
  new DataView(payload.buffer).setUint32(0, model.sent[side]);
  model.sent[side] += 1;
  void real.ends[side].send(2, payload).catch((error: unknown) => real.problems.push(String(error)));
  return settle();
}

function read(real: Real, side: Side, count: number): Promise<void> {
  real.reading[side] = real.reading[side].then(async () => {
    for (let i = 0; i < count; i += 1) {
      const { value } = await real.readers[side].next();
      if (value) real.got[side].push(new DataView(value.payload.buffer, value.payload.byteOffset).getUint32(0));
    }
  });
  return settle();
}

function deliver(real: Real, side: Side, count: number): Promise<void> {
  real.wire.deliver(side, count);
  return settle();
}

async function cutAndResume(real: Real): Promise<void> {
  real.wire.cut("model");
  await settle();
  real.connect();
  await settle();
}

/** Everything arrives in order and once; nothing was refused; no end holds more than it granted. */
function checkOrder(real: Real): void {
  assert.deepEqual(real.problems, []);
  for (const side of ["a", "b"] as const)
    assert.deepEqual(
      real.got[side],
      real.got[side].map((_, i) => i),
    );
}

const anySide = fc.constantFrom("a" as const, "b" as const);
const upTo = (max: number, min = 1) => fc.tuple(anySide, fc.integer({ min, max }));
const steps = [
  upTo(8_000, 0).map(
    ([side, length]) => new Step(`send ${side} ${length}`, (model, real) => send(model, real, { side, length })),
  ),
  upTo(20).map(([side, count]) => new Step(`read ${side} ${count}`, (_, real) => read(real, side, count))),
  upTo(40).map(([side, count]) => new Step(`deliver ${side} ${count}`, (_, real) => deliver(real, side, count))),
  fc.constant(new Step("cut, resume", (_, real) => cutAndResume(real))),
];

test("in any order of sends, reads, deliveries and cuts every packet arrives once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(steps, { maxCommands: 120, size: "max" }), async (list) => {
      const real = new Real();
      const model: Model = { sent: { a: 0, b: 0 } };
      await fc.asyncModelRun(() => ({ model, real }), list);
      await drain(model, real);
    }),
    { numRuns: 150 },
  );
});

/** In the end everything that was sent has been read. */
async function drain(model: Model, real: Real): Promise<void> {
  for (const side of ["a", "b"] as const) await read(real, side, model.sent[other[side]]);
  for (let quiet = 0; quiet < 20; quiet += 1) {
    if (real.wire.queues.a.length + real.wire.queues.b.length > 0) quiet = 0;
    real.wire.deliver("a", 1_000);
    real.wire.deliver("b", 1_000);
    await settle();
    if (done(model, real)) break;
    if (quiet > 10) await new Promise((resolve) => setTimeout(resolve, 15));
  }
  checkOrder(real);
  assert.deepEqual([real.got.a.length, real.got.b.length], [model.sent.b, model.sent.a]);
  real.ends.a.close();
  real.ends.b.close();
  real.wire.cut("model");
  assert.equal(real.budget.used, 0, "what grew was given back");
}

function done(model: Model, real: Real): boolean {
  return real.got.a.length === model.sent.b && real.got.b.length === model.sent.a;
}

test("a reader that does not read stops the writer within a window", async () => {
  const real = new Real();
  let sent = 0;
  void (async () => {
    for (;;) {
      await real.ends.b.send(2, new Uint8Array(8_000));
      sent += 8_001;
    }
  })().catch(() => {});
  for (let i = 0; i < 50; i += 1) {
    real.wire.deliver("a", 1_000);
    real.wire.deliver("b", 1_000);
    await settle();
  }
  assert.ok(real.ends.a.received <= MOST_UNREAD, `${real.ends.a.received} bytes arrived unread`);
  assert.ok(sent <= 2 * MOST_UNREAD, `${sent} bytes were taken from the writer`);
  real.wire.cut("model");
  real.ends.b.close();
  real.ends.a.close();
});
