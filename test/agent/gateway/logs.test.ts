import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { suite, test } from "node:test";
import { type LogEntry, type LogOptions, RuntimeError } from "../../../src/agent/runtime/runtime.ts";
import { settled, until } from "../../support/until.ts";
import { bearer, closed, code, type Front, requestText, startFront } from "../../support/front.ts";

const PATH = "/api/v1/containers/web/logs";
const MEBIBYTE = 1_048_576;

type Logs = (options: LogOptions, signal: AbortSignal) => AsyncIterable<LogEntry[]>;

function entry(text: string | Buffer, stream: "stdout" | "stderr" = "stdout"): LogEntry {
  return { stream, time: "2024-05-01T10:00:00.000000001Z", bytes: Buffer.from(text) };
}

function startLogs(logs: Logs, limits = {}): Promise<Front> {
  return startFront({ desk: { logs }, config: { limits } });
}

const ask = (front: Front, query = "", path = PATH) =>
  front.ask({ path: `${path}${query}`, headers: [bearer(front.admin)] });

/** A client that reads when it is told to. */
function client(front: Front, query: string, headers: string[] = []): Socket {
  const socket = connect(front.port, "127.0.0.1").pause();
  socket.on("error", () => undefined);
  const lines = [bearer(front.admin), "Connection: keep-alive", ...headers];
  socket.write(requestText(front.host, { path: PATH + query, headers: lines }));
  return socket;
}

/** Stops reading again once the text is there. */
async function untilRead(socket: Socket, wanted: string): Promise<string> {
  let text = "";
  socket.resume();
  while (!text.includes(wanted)) {
    const [chunk] = (await once(socket, "data", { signal: AbortSignal.timeout(5_000) })) as [Buffer];
    text += chunk.toString("latin1");
  }
  socket.pause();
  return text;
}

/** What chunked encoding carries, and whether it was ended. */
function unchunk(text: string): { body: string; complete: boolean } {
  let rest = text.slice(text.indexOf("\r\n\r\n") + 4);
  let body = "";
  for (;;) {
    const end = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.slice(0, end), 16);
    if (end < 0 || Number.isNaN(size)) return { body, complete: false };
    if (size === 0) return { body, complete: rest.startsWith("0\r\n\r\n") };
    body += rest.slice(end + 2, end + 2 + size);
    rest = rest.slice(end + 4 + size);
  }
}

async function ended(front: Front): Promise<string | undefined> {
  await until("no session any more", () => Object.keys(front.desk.sessions.counts()).length === 0);
  return front.desk.audit.find(({ event }) => event === "end")?.outcome;
}

suite("a log over HTTP", () => {
  test("is plain text in chunks, both streams in their order, and ends with the log", async () => {
    await using front = await startLogs(async function* () {
      yield [entry("one\n"), entry("two\n", "stderr")];
      yield [entry(Buffer.from([0, 255, 10]))];
    });
    const answer = await ask(front);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert.equal(answer.headers["transfer-encoding"], "chunked");
    assert.equal(answer.headers["x-content-type-options"], "nosniff");
    assert.deepEqual(unchunk(answer.bytes), { body: "one\ntwo\n\0\xff\n", complete: true });
    assert.equal(await ended(front), "exit 0");
    const { body: metrics } = await front.ask({ path: "/metrics", headers: [bearer(front.admin)] });
    assert.match(
      metrics,
      /^fairlead_http_requests_total\{route="\/api\/v1\/containers\/:ref\/logs",status="200"\} 1$/m,
    );
    const [line] = front.desk.audit;
    assert.deepEqual(
      [line?.event, line?.kind, line?.remote, line?.containerName],
      ["open", "logs", "127.0.0.1 http", "web"],
    );
  });

  test("is asked for as its parameters say", async () => {
    const asked: LogOptions[] = [];
    await using front = await startLogs(async function* (options) {
      asked.push(options);
      yield [];
    });
    const both = { follow: false, stdout: true, stderr: true };
    const queries: Record<string, object> = {
      "": both,
      "?follow=true&tail=7": { ...both, follow: true, tail: 7 },
      "?follow&tail=all": { ...both, follow: true },
      "?follow=0&tail=0": { ...both, tail: 0 },
      "?stdout=1": { ...both, stderr: false },
      "?stderr=true": { ...both, stdout: false },
      "?stderr=false": { ...both, stderr: false },
      "?stdout=true&stderr=true": both,
      "?since=1714557600.123456789&until=2024-05-01T10:00:01Z": {
        ...both,
        since: "1714557600.123456789",
        until: "1714557601.000000000",
      },
    };
    for (const [query, options] of Object.entries(queries)) {
      assert.equal((await ask(front, query)).status, 200, query);
      assert.deepEqual(asked.pop(), options, query);
    }
    const before = Date.now() / 1_000 - 600;
    await ask(front, "?since=10m");
    assert.ok(Math.abs(Number(asked.pop()?.since) - before) < 10);
  });

  test("stamps its lines when asked to", async () => {
    await using front = await startLogs(async function* () {
      yield [entry("one\n")];
    });
    assert.equal(unchunk((await ask(front, "?timestamps=true")).bytes).body, "2024-05-01T10:00:00.000000001Z one\n");
  });

  test("is refused as a problem before the first byte", async () => {
    const unreadable = new RuntimeError("engine-error", "configured logging driver does not support reading");
    await using front = await startLogs(() => broken(unreadable));
    for (const query of [
      "?follow=maybe",
      "?tail=-1",
      "?tail=1e3",
      "?tail=99999999",
      "?since=yesterday",
      "?until=",
      "?stdout=false&stderr=false",
      "?grep=x",
      "?tail=1&tail=2",
      "?__proto__=1",
    ]) {
      const answer = await ask(front, query);
      assert.deepEqual([answer.status, code(answer)], [400, "bad-request"], query);
      assert.equal(answer.headers["content-type"], "application/problem+json");
    }
    const absent = await ask(front, "", "/api/v1/containers/nothing/logs");
    assert.deepEqual([absent.status, code(absent)], [404, "not-found"]);
    const answer = await ask(front);
    assert.deepEqual([answer.status, code(answer)], [502, "engine-error"]);
    assert.match(answer.body, /does not support reading/);
    const old = await front.ask({ path: PATH, headers: [bearer(front.admin)], version: "1.0" });
    assert.deepEqual([old.status, code(old)], [501, "unsupported"]);
  });

  test("is cut, not ended, when the engine breaks off in the middle", async () => {
    await using front = await startLogs(async function* () {
      yield [entry("all there was\n")];
      await new Promise((resolve) => setImmediate(resolve));
      throw new RuntimeError("engine-error", "the engine broke off");
    });
    const answer = await ask(front);
    assert.equal(answer.status, 200);
    assert.deepEqual(unchunk(answer.bytes), { body: "all there was\n", complete: false });
    assert.equal(await ended(front), "engine-error");
  });

  test("answers at once and stays open while it is quiet", async () => {
    let speak: () => void = () => {};
    const spoken = new Promise<void>((resolve) => {
      speak = resolve;
    });
    await using front = await startLogs(
      async function* () {
        await spoken;
        yield [entry("at last\n")];
      },
      { stallMs: 400 },
    );
    const socket = client(front, "?follow=true");
    assert.match(await untilRead(socket, "\r\n\r\n"), /^HTTP\/1\.1 200 /);
    setTimeout(speak, 1_000);
    assert.match(await untilRead(socket, "0\r\n\r\n"), /at last/);
    socket.destroy();
  });

  test("ends with its client, also one that has stopped reading", async () => {
    for (const logs of [silence, flood] satisfies Logs[]) {
      await using front = await startLogs(logs);
      const socket = client(front, "?follow=true");
      await untilRead(socket, "\r\n\r\n");
      socket.destroy();
      assert.equal(await ended(front), "client-gone");
    }
  });

  test("waits for a client that does not read, without memory, and harms nobody else", async () => {
    let given = 0;
    await using front = await startLogs(async function* (options, signal) {
      for await (const batch of flood(options, signal)) {
        given += MEBIBYTE / 16;
        yield batch;
      }
    });
    const stalled = client(front, "?follow=true&stdout=true");
    await settled(() => given);
    // What the kernel's two socket buffers take is not ours.
    assert.ok(given < 24 * MEBIBYTE, `${given} bytes were read ahead`);
    const other = client(front, "?follow=true").resume();
    let read = 0;
    while (read < 8 * MEBIBYTE) read += ((await once(other, "data")) as [Buffer])[0].length;
    other.destroy();
    stalled.destroy();
    await ended(front);
  });

  test("ends within seconds when the token is withdrawn, also for a client that does not read", async () => {
    for (const logs of [silence, flood] satisfies Logs[]) {
      await using front = await startLogs(logs);
      const socket = client(front, "?follow=true");
      await untilRead(socket, "\r\n\r\n");
      front.credentials.tokens.revoke("local");
      assert.equal(await ended(front), "revoked");
      socket.resume();
      await closed(socket);
    }
  });

  test("leaves its connection for the next request", async () => {
    await using front = await startLogs(async function* () {
      yield [entry("one\n")];
    });
    const socket = client(front, "");
    await untilRead(socket, "0\r\n\r\n");
    socket.write(requestText(front.host, { path: "/healthz" }));
    assert.match(await untilRead(socket, '"ok"'), /^HTTP\/1\.1 200 /);
    socket.destroy();
  });
});

/** Has no line, and fails when it is first asked for one. */
function broken(error: Error): AsyncIterable<LogEntry[]> {
  const next = async (): Promise<never> => {
    throw error;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

function silence(_options: LogOptions, signal: AbortSignal): AsyncIterable<LogEntry[]> {
  const next = async (): Promise<never> => {
    if (!signal.aborted) await once(signal, "abort");
    throw signal.reason;
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** As fast as it is taken, 64 KiB at a time. */
async function* flood(_options: LogOptions, signal: AbortSignal): AsyncGenerator<LogEntry[]> {
  const line = Buffer.alloc(MEBIBYTE / 16, "x\n");
  while (!signal.aborted) {
    yield [entry(line)];
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw signal.reason;
}
