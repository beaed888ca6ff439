import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { WebSocket } from "ws";
import type { ExitStatus } from "../../../src/agent/runtime/runtime.ts";
import { V4, V5 } from "../../../src/protocol/remote-command.ts";
import { TICKET_PREFIX } from "../../../src/protocol/version.ts";
import { container, type Script } from "../../support/scripted-runtime.ts";
import { until } from "../../support/until.ts";
import {
  bearer,
  code,
  type Front,
  type FrontOptions,
  signIn,
  startFront,
  ticketOf,
  upgrade,
} from "../../support/front.ts";

const EXEC = "/api/v1/containers/web/exec";
const ATTACH = "/api/v1/containers/web/attach";
const ALL = "stdin=true&stdout=true&stderr=true";
const MEBIBYTE = 1_048_576;
/** Milliseconds; long enough for the machine, short enough for a test. */
const HEARTBEAT = 50;

interface Heard {
  socket: WebSocket;
  /** Channel and text of each message so far. */
  messages: [number, string][];
  /** The close code. */
  closed: Promise<number>;
  /** Resolves with the first message that there is on a channel, now or later. */
  on: (channel: number) => Promise<string>;
}

async function listen(front: Front, address: string, protocols: string[] = [V5]): Promise<Heard> {
  const headers = { authorization: `Bearer ${front.admin}` };
  const socket = new WebSocket(`ws://${front.host}${address}`, protocols, { headers });
  return hear(socket);
}

async function hear(socket: WebSocket): Promise<Heard> {
  const messages: [number, string][] = [];
  socket.on("message", (data: Buffer) => messages.push([data[0] ?? -1, data.subarray(1).toString()]));
  const closed = once(socket, "close").then(([closeCode]) => closeCode as number);
  const on = (channel: number) =>
    until(`words on ${channel}`, () => messages.find(([of, text]) => of === channel && text !== "")?.[1]);
  await once(socket, "open");
  return { socket, messages, closed, on };
}

function startExec(run: (script: Script) => Promise<ExitStatus>, options: FrontOptions = {}): Promise<Front> {
  return startFront({ ...options, desk: { exec: run, ...options.desk } });
}

const ask = (front: Front, path: string, protocol = V5) =>
  front.ask({ path, headers: upgrade(bearer(front.admin), `Sec-WebSocket-Protocol: ${protocol}`) });

const say = (socket: WebSocket, channel: number, bytes: string | Buffer = "") =>
  socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(bytes)]));

/** Until it is ended, whatever it is told. */
async function linger({ closed }: Script): Promise<ExitStatus> {
  if (!closed.aborted) await once(closed, "abort");
  return { code: 137 };
}

function scriptOf(front: Front): Promise<Script> {
  return until("a process", () => front.desk.runtime.scripts[0]);
}

async function untilNoSession(front: Front): Promise<void> {
  await until("no session any more", () => Object.keys(front.desk.sessions.counts()).length === 0);
}

suite("an exec over one WebSocket", () => {
  test("has a first message, its output on two channels, a status, and then the close code 1000", async () => {
    await using front = await startExec(async ({ print }) => {
      await print("out");
      await print("err", "stderr");
      await print("");
      return { code: 0 };
    });
    for (const protocol of [V5, V4]) {
      const { socket, messages, closed } = await listen(front, `${EXEC}?command=a&command=b%20c&${ALL}`, [protocol]);
      assert.equal(await closed, 1000);
      assert.deepEqual([socket.protocol, socket.extensions], [protocol, ""]);
      assert.deepEqual(messages, [
        [1, ""],
        [1, "out"],
        [2, "err"],
        [3, '{"metadata":{},"status":"Success"}'],
      ]);
      const opened = front.desk.audit.find(({ event }) => event === "open");
      const spec = { command: ["a", "b c"], tty: false, stdin: true, session: opened?.session };
      assert.deepEqual(front.desk.runtime.scripts.pop()?.spec, spec);
      assert.equal(opened?.remote, `127.0.0.1 ${protocol}`);
      front.desk.audit.length = 0;
    }
  });

  test("tells how the process ended, and calls nothing a success that is none", async () => {
    const statuses: [ExitStatus, object][] = [
      [{ code: 1 }, { reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: "1" }] } }],
      [{ code: 255 }, { reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: "255" }] } }],
      [{ code: 256 }, { reason: "InternalError", code: 500 }],
      [{ code: -1 }, { reason: "InternalError", code: 500 }],
      [{ unknown: "the engine was restarted" }, { reason: "InternalError", code: 500 }],
    ];
    for (const [exit, expected] of statuses) {
      await using front = await startExec(async () => exit);
      const { on, closed } = await listen(front, `${EXEC}?command=x&stdout=true`);
      const status = JSON.parse(await on(3)) as Record<string, unknown>;
      assert.equal(status["status"], "Failure");
      assert.deepEqual({ ...status, ...expected }, status);
      assert.equal(await closed, 1000);
    }
  });

  test("says in its status that a command is not there", async () => {
    await using front = await startFront({});
    const { on, closed } = await listen(front, `${EXEC}?command=nothing&stdout=true`);
    const status = JSON.parse(await on(3)) as Record<string, unknown>;
    assert.deepEqual([status["reason"], status["code"]], ["InternalError", 500]);
    assert.match(String(status["message"]), /^Internal error occurred: exec: "nothing": not found$/);
    assert.equal(await closed, 1000);
  });

  test("sends nothing on a channel that was not asked for", async () => {
    const queries: Record<string, [number, string][]> = {
      "stdout=1": [
        [1, ""],
        [1, "out"],
      ],
      "stderr=True": [
        [2, ""],
        [2, "err"],
      ],
      "stdin=": [[3, ""]],
      "stdout=true&stderr=true&tty=true": [
        [1, ""],
        [1, "out"],
      ],
      "stdout=1&stderr=false&stdin=0": [
        [1, ""],
        [1, "out"],
      ],
    };
    for (const [query, expected] of Object.entries(queries)) {
      await using front = await startExec(async ({ print }) => {
        await print("out");
        await print("err", "stderr");
        return { code: 0 };
      });
      const { messages, closed } = await listen(front, `${EXEC}?command=x&container=main&${query}`);
      await closed;
      assert.deepEqual(messages.slice(0, -1), expected, query);
    }
  });

  test("takes input as bytes or text, and its end on v5", async () => {
    await using front = await startExec(async ({ stdin, ended, print }) => {
      await ended;
      await print(Buffer.concat(stdin));
      return { code: 0 };
    });
    const { socket, on, closed } = await listen(front, `${EXEC}?command=cat&${ALL}`);
    say(socket, 0, "bytes ");
    socket.send("\u0000text");
    socket.send(Buffer.alloc(0));
    say(socket, 0);
    say(socket, 1, "passed over");
    say(socket, 9, "passed over");
    say(socket, 255, Buffer.of(1));
    say(socket, 255, Buffer.of(0));
    say(socket, 0, "too late");
    assert.equal(await on(1), "bytes text");
    assert.equal(await closed, 1000);
  });

  test("passes over a close message on v4, which has none", async () => {
    await using front = await startExec(linger);
    const { socket, closed } = await listen(front, `${EXEC}?command=cat&${ALL}`, [V4]);
    say(socket, 255, Buffer.of(0));
    say(socket, 255);
    say(socket, 0, "still there");
    const script = await scriptOf(front);
    await until("input", () => script.stdin.length > 0);
    assert.equal(Buffer.concat(script.stdin).toString(), "still there");
    socket.close();
    await closed;
    await untilNoSession(front);
    assert.equal(script.closed.aborted, true);
  });

  test("hears nothing on the channel of an input that was not asked for", async () => {
    await using front = await startExec(async ({ sizes, stdin }) => {
      await until("a size", () => sizes.length > 0);
      return { code: stdin.length };
    });
    const { socket, on } = await listen(front, `${EXEC}?command=cat&stdout=true&tty=true`);
    say(socket, 0, "nobody reads this");
    say(socket, 255, Buffer.of(0));
    say(socket, 4, '{"width":1,"height":1}');
    assert.match(await on(3), /Success/);
  });

  test("is ended when its client breaks the protocol", async () => {
    for (const wrong of ["", "\u0000\u0000", "\u0005", "\u00ff"]) {
      await using front = await startExec(linger);
      const { socket, closed } = await listen(front, `${EXEC}?command=cat&${ALL}`);
      say(socket, 255, Buffer.from(wrong, "latin1"));
      assert.equal(await closed, 1002);
      await untilNoSession(front);
      assert.equal(front.desk.runtime.scripts[0]?.closed.aborted, true);
    }
  });

  test("has the size that the client says, in one piece, in pieces or several at once", async () => {
    await using front = await startExec(linger);
    const { socket } = await listen(front, `${EXEC}?command=sh&${ALL}&tty=true`);
    const script = await scriptOf(front);
    const sized = async (cols: number, rows: number) => {
      await until(`${cols} columns`, () => script.sizes.at(-1)?.cols === cols);
      assert.deepEqual(script.sizes.at(-1), { cols, rows });
    };
    say(socket, 4, '{"Width":101,"Height":33}\n');
    await sized(101, 33);
    say(socket, 4, '{"height":40,"width":102}{"height":41,"width":103}');
    await sized(103, 41);
    say(socket, 4, '{"width":104,');
    say(socket, 4, '"height":42}');
    await sized(104, 42);
    for (const nonsense of ['{"width":0,"height":1}', "}}}", "[1]", '{"width":1e9,"height":1}', "x".repeat(100_000)])
      say(socket, 4, nonsense);
    say(socket, 4, '}{"width":60000,"height":43}');
    await sized(1_000, 43);
    socket.terminate();
  });

  test("ends with the withdrawal of the access, in a status", async () => {
    await using front = await startExec(linger);
    const { on, closed } = await listen(front, `${EXEC}?command=sh&${ALL}`);
    await scriptOf(front);
    front.credentials.tokens.revoke("local");
    const status = JSON.parse(await on(3)) as Record<string, unknown>;
    assert.deepEqual([status["reason"], status["code"]], ["Unauthorized", 401]);
    assert.equal(await closed, 1000);
  });

  test("ends with the agent, in a status", async () => {
    await using front = await startExec(linger);
    const { on, closed } = await listen(front, `${EXEC}?command=sh&${ALL}`);
    await scriptOf(front);
    await front.desk.sessions.close();
    assert.equal((JSON.parse(await on(3)) as Record<string, unknown>)["reason"], "ServiceUnavailable");
    assert.equal(await closed, 1000);
  });

  test("is opened by a page with a ticket, of which nothing is said back", async () => {
    await using front = await startExec(async () => ({ code: 0 }));
    const { proof, cookie, origin } = await signIn(front);
    const headers = { Cookie: cookie.slice(8), Origin: origin.slice(8) };
    const offer = [`${TICKET_PREFIX}${await ticketOf(front, proof)}`, "v9.channel.k8s.io", V4];
    const address = `ws://${front.host}${EXEC}?command=true&stdout=true`;
    const { socket, on } = await hear(new WebSocket(address, offer, { headers }));
    assert.equal(socket.protocol, V4);
    assert.match(await on(3), /Success/);
  });
});

suite("before the upgrade", () => {
  test("a protocol that is not spoken is refused, and nothing is executed", async () => {
    await using front = await startExec(linger);
    for (const protocol of [
      "",
      "channel.k8s.io",
      "v3.channel.k8s.io",
      "base64.channel.k8s.io",
      "fairlead.v1",
      "x, y",
    ]) {
      const answer = await ask(front, `${EXEC}?command=rm&${ALL}`, protocol);
      assert.deepEqual([answer.status, code(answer)], [400, "bad-request"], protocol);
    }
    const bare = upgrade(bearer(front.admin));
    assert.equal((await front.ask({ path: `${EXEC}?command=rm&${ALL}`, headers: bare })).status, 400);
    const wrong = bare.map((line) => line.replace("Version: 13", "Version: 7"));
    const headers = [...wrong, `Sec-WebSocket-Protocol: ${V5}`];
    assert.equal((await front.ask({ path: `${EXEC}?command=rm&${ALL}`, headers })).status, 400);
    assert.deepEqual([front.desk.runtime.scripts, front.desk.sessions.counts()], [[], {}]);
  });

  test("what is wrong is told in HTTP, and nothing is executed", async () => {
    const containers = [{}, container({ id: "d".repeat(64), name: "down", state: "exited" })];
    const limits = { sessionsPerContainer: 1 };
    await using front = await startExec(linger, { desk: { containers, limits } });
    const answers: Record<string, [number, string]> = {
      [`${EXEC}?command=x`]: [400, "bad-request"],
      [`${EXEC}?command=x&stdin=false&stdout=0`]: [400, "bad-request"],
      [`${EXEC}?command=x&stderr=true&tty=true`]: [400, "bad-request"],
      [`${EXEC}?stdout=true`]: [400, "bad-request"],
      [`${EXEC}?command=%00&stdout=true`]: [400, "bad-request"],
      [`${EXEC}?command=x&stdout=true&user=root`]: [400, "bad-request"],
      [`${EXEC}?command=x&stdout=true&stdout=true`]: [400, "bad-request"],
      [`${ATTACH}?command=x&stdout=true`]: [400, "bad-request"],
      "/api/v1/containers/nothing/exec?command=x&stdout=true": [404, "not-found"],
      "/api/v1/containers/nothing/attach?stdout=true": [404, "not-found"],
      "/api/v1/containers/down/exec?command=x&stdout=true": [409, "not-running"],
      "/api/v1/containers/down/attach?stdout=true": [409, "not-running"],
    };
    for (const [path, expected] of Object.entries(answers)) {
      const answer = await ask(front, path);
      assert.deepEqual([answer.status, code(answer)], expected, path);
    }
    assert.deepEqual(front.desk.runtime.scripts, []);
    const { socket } = await listen(front, `${EXEC}?command=x&stdout=true`);
    await scriptOf(front);
    const full = await ask(front, `${EXEC}?command=x&stdout=true`);
    assert.deepEqual([full.status, code(full)], [429, "too-many"]);
    socket.terminate();
  });
});

suite("an attach over one WebSocket", () => {
  test("carries both ways and tells how the container ended", async () => {
    await using front = await startExec(async ({ stdin, ended, print }) => {
      await ended;
      await print(Buffer.concat(stdin));
      return { code: 3 };
    });
    const { socket, messages, closed } = await listen(front, `${ATTACH}?${ALL}`);
    say(socket, 0, "hello");
    say(socket, 255, Buffer.of(0));
    assert.equal(await closed, 1000);
    assert.deepEqual(messages.slice(0, 2), [
      [1, ""],
      [1, "hello"],
    ]);
    assert.match(messages[2]?.[1] ?? "", /exit status 3/);
    assert.equal(front.desk.audit[0]?.kind, "attach");
  });
});

suite("the heartbeat of a session's WebSocket", () => {
  const options = { config: { limits: { heartbeatMs: HEARTBEAT } } };

  test("is a pong that nobody asked for", async () => {
    await using front = await startExec(linger, options);
    const { socket } = await listen(front, `${EXEC}?command=sleep&${ALL}`);
    for (let beat = 0; beat < 3; beat += 1) await once(socket, "pong");
    socket.terminate();
  });

  test("goes on to a client that is held back because the process does not read", async (t) => {
    await using front = await startExec(linger, options);
    const exec = front.desk.runtime.exec.bind(front.desk.runtime);
    const write = () => new Promise<void>(() => {});
    t.mock.method(front.desk.runtime, "exec", async (...asked: Parameters<typeof exec>) =>
      Object.assign(await exec(...asked), { write }),
    );
    const { socket } = await listen(front, `${EXEC}?command=sleep&${ALL}`);
    for (let sent = 0; sent < 64; sent += 1) say(socket, 0, Buffer.alloc(MEBIBYTE - 1));
    for (let beat = 0; beat < 12; beat += 1) await once(socket, "pong");
    // What the kernel's buffers hold is not ours.
    assert.ok(socket.bufferedAmount > 32 * MEBIBYTE, `${socket.bufferedAmount} bytes are left`);
    socket.terminate();
    await untilNoSession(front);
  });

  test("ends a client that is silent, and what it ran", async () => {
    await using front = await startExec(linger, options);
    const headers = { authorization: `Bearer ${front.admin}` };
    const address = `ws://${front.host}${EXEC}?command=sleep&${ALL}`;
    const { closed } = await hear(new WebSocket(address, [V5], { headers, autoPong: false }));
    const script = await scriptOf(front);
    assert.equal(await closed, 1006);
    await untilNoSession(front);
    assert.equal(script.closed.aborted, true);
  });

  test("does not end one that answers, or that speaks", async () => {
    await using front = await startExec(linger, options);
    const headers = { authorization: `Bearer ${front.admin}` };
    const address = `ws://${front.host}${EXEC}?command=sleep&${ALL}`;
    const quiet = await hear(new WebSocket(address, [V5], { headers }));
    const busy = await hear(new WebSocket(address, [V5], { headers, autoPong: false }));
    for (let beat = 0; beat < 12; beat += 1) {
      await once(quiet.socket, "pong");
      say(busy.socket, 0, "x");
    }
    assert.deepEqual([quiet.socket.readyState, busy.socket.readyState], [WebSocket.OPEN, WebSocket.OPEN]);
    quiet.socket.terminate();
    busy.socket.terminate();
  });

  test("does not end one that does not read: it cannot answer", async () => {
    await using front = await startExec(async ({ print, closed }) => {
      while (!closed.aborted) await print(new Uint8Array(65_536));
      return { code: 0 };
    }, options);
    const { socket } = await listen(front, `${EXEC}?command=yes&stdout=true`);
    socket.pause();
    const other = await listen(front, `${EXEC}?command=yes&stdout=true`);
    for (let beat = 0; beat < 12; beat += 1) await once(other.socket, "pong");
    assert.equal(front.desk.sessions.counts()["exec"], 2);
    socket.resume();
    await once(socket, "message");
    socket.terminate();
    other.socket.terminate();
  });
});
