import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { suite, test } from "node:test";
import { newSecret } from "../../../src/auth/secret.ts";
import { watchLines } from "../../../src/door/watch-lines.ts";
import { asFairleadError } from "../../../src/door/problems.ts";
import { ContainerList, type ContainerView } from "../../../src/protocol/container.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";
import { bearer, code, type Front, requestText, startFront } from "../../support/front.ts";

/** So many requests answered without a change: nothing moves any more. */
const STILL = 50;
const PATH = "/api/v1/containers?watch=1";

/** A list that changes when the test says so. */
class Changing {
  ready = true;
  readonly away = new FairleadError("engine-unavailable", "It is away.");
  /** How many lists were asked for. */
  asked = 0;
  readonly detail = async () => Promise.reject(new FairleadError("not-found", "none"));
  /** Resolves when somebody who followed the changes has gone. */
  readonly left: Promise<void>;
  #leave: () => void = () => {};
  #wake: () => void = () => {};
  readonly #lists: ContainerView[][] = [];

  constructor() {
    this.left = new Promise((resolve) => {
      this.#leave = resolve;
    });
  }

  async listed(): Promise<ContainerView[]> {
    return [];
  }

  change(...lists: ContainerView[][]): void {
    this.#lists.push(...lists);
    this.#wake();
  }

  async *changes(_grant: unknown, signal: AbortSignal): AsyncGenerator<ContainerView[]> {
    try {
      yield await this.listed();
      while (!signal.aborted) {
        this.asked++;
        const next = this.#lists.shift();
        if (next) yield next;
        else await this.#changed(signal);
      }
    } finally {
      this.#leave();
    }
  }

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
}

function view(name: string): ContainerView {
  const fixed = {
    image: "i",
    command: "c",
    state: "running",
    status: "Up",
    created: 0,
    ports: [],
    networks: [],
    labels: {},
  };
  return { id: name, name, rights: ["list"], ...fixed };
}

/** The lines of the body as they come, without those that frame the chunks. */
async function* linesOf(socket: Socket): AsyncGenerator<string> {
  for await (const line of createInterface({ input: socket })) if (line === "" || line.startsWith("{")) yield line;
}

function watch(front: Front, headers: string[] = [bearer(front.admin)]): Socket {
  const socket = connect(front.port, "127.0.0.1");
  socket.write(requestText(front.host, { path: PATH, headers }));
  return socket;
}

/** The next line that is a list. */
async function nextList(lines: AsyncGenerator<string>): Promise<string[]> {
  for (;;) {
    const { value, done } = await lines.next();
    assert.ok(!done, "the stream ended");
    if (value !== "") return ContainerList.parse(JSON.parse(value)).containers.map(({ name }) => name);
  }
}

/** The codes of the problems with which a stream ends. */
async function codesOf(lines: AsyncGenerator<string>): Promise<unknown[]> {
  const codes: unknown[] = [];
  for await (const line of lines) if (line !== "") codes.push(JSON.parse(line).code);
  return codes;
}

async function isAccepted(socket: Socket): Promise<boolean> {
  const [first] = (await once(socket, "data")) as [Buffer];
  return first.toString("latin1").startsWith("HTTP/1.1 200");
}

suite("watching containers", () => {
  test("gives the whole list at once and after each change", async () => {
    const containers = new Changing();
    await using front = await startFront({ gateway: { containers } });
    const socket = watch(front);
    const lines = linesOf(socket);
    assert.deepEqual(await nextList(lines), []);
    containers.change([view("web")], [view("web"), view("db")]);
    assert.deepEqual(await nextList(lines), ["web"]);
    assert.deepEqual(await nextList(lines), ["web", "db"]);
    socket.destroy();
  });

  test("ends, with the reason on its last line, when access is withdrawn", async () => {
    const token = newSecret();
    const grant = { subject: "ci", rights: ["list" as const], scopes: [] };
    await using front = await startFront({ tokens: [{ token, grant }] });
    const socket = watch(front, [bearer(token)]);
    const lines = linesOf(socket);
    assert.deepEqual(await nextList(lines), ["web"]);
    front.credentials.tokens.revoke("ci");
    assert.deepEqual(await codesOf(lines), ["revoked"]);
  });

  test("says that the engine is away instead of showing nothing", async () => {
    const containers = new Changing();
    await using front = await startFront({ gateway: { containers } });
    const socket = watch(front);
    const lines = linesOf(socket);
    assert.deepEqual(await nextList(lines), []);
    containers.ready = false;
    containers.change([]);
    assert.deepEqual(await codesOf(lines), ["engine-unavailable"]);
    for (const path of [PATH, "/api/v1/containers"]) {
      const refused = await front.ask({ path, headers: [bearer(front.admin)] });
      assert.deepEqual([refused.status, code(refused)], [503, "engine-unavailable"]);
    }
  });

  test("asks for no more than its reader takes", async () => {
    const containers = new Changing();
    const large = Array.from({ length: 2_000 }, (_, i) => view(`container-${i}`));
    containers.change(...Array.from({ length: 1_000 }, () => large));
    await using front = await startFront({ gateway: { containers } });
    const stalled = watch(front);
    stalled.pause();
    let before = -1;
    for (let still = 0; still < STILL; still++) {
      if (containers.asked !== before) still = 0;
      before = containers.asked;
      assert.equal((await front.ask({ path: "/healthz" })).status, 200);
    }
    assert.ok(before < 200, `${before} of 1000 lists were asked for`);
    stalled.destroy();
  });

  test("is cut when its reader takes nothing, at the latest when access is withdrawn", async () => {
    const token = newSecret();
    const grant = { subject: "ci", rights: ["list" as const], scopes: [] };
    const stalls = async (limits: object, then: (front: Front) => void) => {
      const containers = new Changing();
      const large = Array.from({ length: 2_000 }, (_, i) => view(`container-${i}`));
      containers.change(...Array.from({ length: 1_000 }, () => large));
      await using front = await startFront({ tokens: [{ token, grant }], gateway: { containers }, config: { limits } });
      const stalled = watch(front, [bearer(token)]).pause();
      await once(stalled, "readable");
      then(front);
      await containers.left;
      stalled.destroy();
    };
    await stalls({ stallMs: 500 }, () => undefined);
    await stalls({}, (front) => void front.credentials.tokens.revoke("ci"));
  });

  test("lets go of its source when the client leaves", async () => {
    const containers = new Changing();
    await using front = await startFront({ gateway: { containers }, config: { limits: { watches: 1 } } });
    const first = watch(front);
    await nextList(linesOf(first));
    const refused = await front.ask({ path: PATH, headers: [bearer(front.admin)] });
    assert.deepEqual([refused.status, code(refused)], [429, "too-many"]);
    first.destroy();
    let second = watch(front);
    while (!(await isAccepted(second))) second = watch(front);
    second.destroy();
  });

  test("sends a blank line as a sign of life while nothing changes", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const stop = new AbortController();
    const silent = new Changing().changes(undefined, stop.signal);
    const { signal } = stop;
    const lines = watchLines(silent, { heartbeatMs: 15_000, signal, understand: asFairleadError, request: "it" });
    assert.match((await lines.next()).value ?? "", /^\[\]\n$/);
    for (let i = 0; i < 3; i++) {
      const next = lines.next();
      t.mock.timers.tick(14_999);
      t.mock.timers.tick(1);
      assert.equal((await next).value, "\n");
    }
    stop.abort(new FairleadError("shutting-down", "bye"));
    assert.match((await lines.next()).value ?? "", /"code":"shutting-down"/);
    assert.equal((await lines.next()).done, true);
  });
});

test("who follows the audit log for few records hears a sign of life for every other", async () => {
  await using front = await startFront({ config: { limits: { heartbeatMs: 3_600_000 } } });
  const answer = await fetch(`${front.url}/api/v1/audit?follow=1&container=none`, {
    headers: { authorization: `Bearer ${front.admin}` },
  });
  const reader = answer.body?.getReader();
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await reader?.read(), { done: false, value: new Uint8Array(Buffer.from("\n")) });
    await front.audit.appendNow({ event: "refuse" });
  }
  await reader?.cancel();
});
