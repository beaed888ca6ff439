/** A name that the events have not told of: the engine is asked once, seldom, and for everybody at the same time. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type Container, RuntimeError } from "../../../src/agent/runtime/runtime.ts";
import type { Client } from "../../../src/client/client.ts";
import { aborted } from "../../../src/lib/wait.ts";
import { Budget } from "../../../src/mux/budget.ts";
import { Mux } from "../../../src/mux/mux.ts";
import { Sequence } from "../../../src/mux/sequence.ts";
import type { Grant } from "../../../src/protocol/rights.ts";
import { ADMIN, startDesk } from "../../support/desk.ts";
import { container, type Script } from "../../support/scripted-runtime.ts";

const OLD = container({ name: "old" });
const NEW = container({ id: "b".repeat(64), name: "new", labels: { team: "blue" } });
const BODY = { command: ["cat"], tty: false, stdin: true };
/** Milliseconds between two lists; timers may be one early. */
const REST_MS = 99;
/** How many may wait at a time, and how many of them on one connection. */
const MAX_WAITING = 256;

/** An engine whose answers come when the test says so. */
class Asked {
  readonly times: number[] = [];
  readonly #waiting: ((list: Promise<Container[]>) => void)[] = [];
  #heard: () => void = () => {};

  readonly list = (): Promise<Container[]> => {
    this.times.push(performance.now());
    this.#heard();
    return new Promise((resolve) => this.#waiting.push(resolve));
  };

  /** Resolves when it has been asked so many times. */
  async until(count: number): Promise<void> {
    while (this.times.length < count)
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
  }

  /** Answers everything that was asked, one question at a time. */
  answer(list: Container[] | Error): void {
    assert.equal(this.#waiting.length, 1, "one list is under way at a time");
    this.#waiting.shift()?.(list instanceof Error ? Promise.reject(list) : Promise.resolve(list));
  }
}

/** Says back what it is told, when it has been told everything. */
async function echo({ stdin, ended, print }: Script): Promise<{ code: number }> {
  await ended;
  await print(Buffer.concat(stdin));
  return { code: 0 };
}

async function startAsked(grants: { containers?: Container[] } = {}) {
  const engine = new Asked();
  const desk = await startDesk({ containers: grants.containers ?? [OLD], list: engine.list, exec: echo });
  return { engine, desk, close: () => desk.close() };
}

const code = (attempt: Promise<unknown>) =>
  attempt.then(
    () => "found",
    (error: { code: string }) => error.code,
  );

suite("a container that the events have not told of", () => {
  test("is found when the engine knows it, with everything that the client said before the answer", async () => {
    const { engine, desk, close } = await startAsked();
    const budget = new Budget(1e9);
    const mux = new Mux(desk.connect().a, { role: "dialler", software: "test", budget });
    const header = Buffer.from(JSON.stringify({ op: "exec", container: "new" }));
    const channel = mux.open({ header, body: Buffer.from(JSON.stringify(BODY)) });
    const sequence = new Sequence({ budget });
    sequence.attach(channel, 0);
    await sequence.send(0x02, Buffer.from("typed "));
    await sequence.send(0x02, Buffer.from("early"));
    await sequence.send(0x05, Buffer.alloc(0));
    await engine.until(1);
    assert.equal(desk.runtime.scripts.length, 0);
    engine.answer([OLD, NEW]);
    let said = "";
    for await (const { tag, payload } of sequence.receive()) {
      if (tag === 0x03) said += Buffer.from(payload).toString();
      if (tag === 0x08) break;
    }
    assert.equal(said, "typed early");
    assert.equal(desk.audit[0]?.container, NEW.id);
    mux.close(1000, "done");
    await close();
  });

  test("is not looked for in a list that was begun before it was asked for", async () => {
    const { engine, desk, close } = await startAsked();
    const client = desk.client();
    const nobody = code(client.exec("nobody", BODY));
    await engine.until(1);
    const made = code(client.exec("new", BODY));
    const alike = code(client.exec("new", BODY));
    engine.answer([OLD]);
    await engine.until(2);
    engine.answer([OLD, NEW]);
    assert.deepEqual(await Promise.all([nobody, made, alike]), ["not-found", "found", "found"]);
    assert.equal(await code(client.exec("new", BODY)), "found");
    assert.equal(engine.times.length, 2, "what was found is known for a while");
    await client.close();
    await close();
  });

  test("is looked for with one list, however many ask, and with the next one only after a rest", async () => {
    const { engine, desk, close } = await startAsked();
    const clients = [desk.client(), desk.client()];
    for (let round = 1; round <= 4; round += 1) {
      const asking = clients.flatMap((client) => Array.from({ length: 50 }, () => code(client.exec("nobody", BODY))));
      await engine.until(round);
      engine.answer([OLD]);
      assert.deepEqual(new Set(await Promise.all(asking)), new Set(["not-found"]));
    }
    assert.equal(engine.times.length, 4);
    const rests = engine.times.slice(1).map((time, i) => time - (engine.times[i] ?? 0));
    assert.ok(Math.min(...rests) >= REST_MS, `asked again after ${rests.join(", ")} ms`);
    for (const client of clients) await client.close();
    await close();
  });

  test("costs the engine nothing when it is known", async () => {
    const { engine, desk, close } = await startAsked();
    const client = desk.client();
    assert.equal(await code(client.exec("old", BODY)), "found");
    await desk.containers.detail("old", ADMIN, AbortSignal.timeout(1_000));
    assert.equal(engine.times.length, 0);
    await client.close();
    await close();
  });

  test("is described over HTTP from the same list", async () => {
    const engine = new Asked();
    const desk = await startDesk({ containers: [OLD], list: engine.list });
    const detail = desk.containers.detail("new", ADMIN, AbortSignal.timeout(1_000));
    const client = desk.client();
    await engine.until(1);
    engine.answer([OLD, NEW]);
    // The scripted engine can describe only what it began with: it was asked about the right one.
    await assert.rejects(detail, { code: "not-found", message: `no container ${NEW.id}` });
    await client.close();
    await desk.close();
  });
});

suite("while the engine is asked", () => {
  test("a container that may not be used is looked for like one that does not exist, and refused alike", async () => {
    const grant: Grant = { subject: "red", rights: ["exec"], scopes: [{ team: "red" }] };
    const { engine, desk, close } = await startAsked({ containers: [OLD, NEW] });
    const client = desk.client([], grant);
    const refusals = [];
    for (const [i, name] of ["new", "nobody"].entries()) {
      const attempt = client.exec(name, BODY).catch((error: Error) => error.message.replaceAll(name, "NAME"));
      await engine.until(i + 1);
      engine.answer([OLD, NEW]);
      refusals.push(await attempt);
    }
    assert.equal(refusals[0], refusals[1]);
    await client.close();
    await close();
  });

  test("an engine that fails is told, not that there is no container", async () => {
    const { engine, desk, close } = await startAsked();
    const client = desk.client();
    const attempt = code(client.exec("new", BODY));
    await engine.until(1);
    engine.answer(new RuntimeError("engine-unavailable", "it is away"));
    assert.equal(await attempt, "engine-unavailable");
    const again = code(client.exec("new", BODY));
    await engine.until(2);
    engine.answer([NEW]);
    assert.equal(await again, "found");
    await client.close();
    await close();
  });

  test("a client that leaves leaves nothing behind", async () => {
    const { engine, desk, close } = await startAsked();
    const client = desk.client();
    const attempt = code(client.exec("new", BODY));
    await engine.until(1);
    client.pairs[0]?.cut();
    assert.equal(await attempt, "unreachable");
    engine.answer([OLD, NEW]);
    await new Promise(setImmediate);
    const other = desk.client();
    assert.equal(await code(other.exec("new", BODY)), "found");
    assert.equal(desk.runtime.scripts.length, 1);
    for (const it of [client, other]) await it.close();
    await close();
  });

  test("withdrawn access and a shutdown are heard", async () => {
    for (const [happens, expected] of [
      ["revoke", "revoked"],
      ["drain", "shutting-down"],
    ] as const) {
      const { engine, desk, close } = await startAsked();
      const client = desk.client();
      const attempt = code(client.exec("new", BODY));
      await engine.until(1);
      if (happens === "revoke") desk.revoke();
      else desk.sessions.farewell(0);
      engine.answer([OLD, NEW]);
      assert.ok([expected, "unreachable"].includes(await attempt));
      assert.equal(desk.runtime.scripts.length, 0);
      await client.close();
      await close();
    }
  });

  test("a bounded number may wait, and whoever comes then is told so", async () => {
    const gate = new AbortController();
    const desk = await startDesk({
      list: async () => {
        await aborted(gate.signal);
        return [OLD];
      },
    });
    const clients = [desk.client(), desk.client()];
    const codes: string[] = [];
    const told = new AbortController();
    const ask = async (client: Client) => {
      codes.push(await code(client.exec("nobody", BODY)));
      if (codes.length === 10) told.abort();
    };
    const asking = clients.flatMap((client) => Array.from({ length: MAX_WAITING / 2 + 5 }, () => ask(client)));
    await aborted(told.signal);
    assert.deepEqual(new Set(codes), new Set(["too-many"]));
    gate.abort();
    await Promise.all(asking);
    assert.deepEqual(new Set(codes.slice(10)), new Set(["not-found"]));
    for (const client of clients) await client.close();
    await desk.close();
  });
});
