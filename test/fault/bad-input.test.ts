/** What people and programs ask for by mistake or by malice, over real sockets: each refused with words, and no harm done. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, afterEach, before, suite, test } from "node:test";
import type { Client } from "../../src/client/client.ts";
import type { RemoteSession } from "../../src/client/session.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import type { Packet } from "../../src/protocol/packet.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { Neighbour } from "./neighbour.ts";
import { HELLO, PeerSocket } from "./peer-socket.ts";
import { open, resume } from "./raw.ts";
import { carries, connectTo } from "./stage.ts";

const WEB = "fault-input-web";
const STOPPED = "fault-input-stopped";
const NOSHELL = "fault-input-noshell";
const NEIGHBOUR = "fault-input-neighbour";
const TWINS = ["fault-input-twin-1", "fault-input-twin-2"];
const TWIN_LABELS = ["--label", "com.docker.compose.project=fault", "--label", "com.docker.compose.service=twin"];

const cat = { command: ["cat"], tty: false, stdin: true };
const attach = { stdin: false, stdout: true, stderr: true };
const logs = { follow: false, stdout: true, stderr: true, timestamps: false };
const ports = { ports: [80] };
/** May do everything but is somebody else. */
const OTHER = randomBytes(24).toString("base64url");
const GRANTS = JSON.stringify([
  { name: "other", token_sha256: createHash("sha256").update(OTHER).digest("hex"), rights: ["admin"] },
]);

let engine: Engine;
let agent: TestAgent;
let neighbour: Neighbour;
let client: Client;

before(async () => {
  engine = await sharedEngine();
  for (const name of [WEB, STOPPED, NEIGHBOUR]) await engine.run(name);
  for (const name of TWINS) await engine.run(name, { args: TWIN_LABELS });
  await engine.run(NOSHELL, { image: "noshell" });
  await engine.docker("kill", STOPPED);
  agent = await startAgent({ engine, flags: ["--grants", GRANTS] });
  client = connectTo(agent);
  neighbour = await Neighbour.start(agent, NEIGHBOUR);
});

/** After every single mistake: the neighbour's bytes are right, and nothing but its session is left. */
afterEach(async () => {
  await neighbour.pulse();
  await carries(agent, 1);
});

after(async () => {
  await client?.close();
  await neighbour?.close();
  await agent?.stop();
  await engine?.docker("rm", "--force", WEB, STOPPED, NOSHELL, NEIGHBOUR, ...TWINS);
});

type Verb = "exec" | "attach" | "logs" | "forward";
const verbs: Record<Verb, (container: string) => Promise<unknown>> = {
  exec: (container) => client.exec(container, cat),
  attach: (container) => client.attach(container, attach),
  logs: (container) => client.logs(container, logs),
  forward: (container) => client.forward(container, ports),
};

suite("a container", () => {
  for (const [verb, ask] of Object.entries(verbs)) {
    test(`that does not exist is refused to ${verb}, with what it could have been`, async () => {
      await refused(ask("fault-input-wev"), "not-found", /fault-input-wev.*Did you mean fault-input-web/);
      await refused(ask("../../etc/passwd"), "not-found", /no container/);
      await refused(ask("f".repeat(64)), "not-found", /no container/);
    });

    test(`that could be two is refused to ${verb}, naming both`, async () => {
      await refused(ask("fault/twin"), "ambiguous", /fault-input-twin-\d.*fault-input-twin-\d/);
    });
  }

  test("that is stopped runs no command and takes no attach", async () => {
    await refused(client.exec(STOPPED, cat), "not-running", /not running/);
    await refused(client.attach(STOPPED, attach), "not-running", /not running/);
  });

  test("that is stopped has a log and an end of it", async () => {
    const session = await client.logs(STOPPED, { ...logs, follow: true });
    const packets: Packet[] = [];
    for await (const packet of session.packets()) packets.push(packet);
    assert.deepEqual(packets.at(-1), { type: "exit", status: { code: 0 } });
  });

  test("that is stopped refuses each connection, and its forward stays", async () => {
    const forward = await client.forward(STOPPED, ports);
    for (let i = 0; i < 2; i += 1) await refused(dialled(forward.dial(80)), "not-running", /not running/);
    await forward.close();
  });
});

suite("a command", () => {
  const mistakes: [string, string, string[], ErrorCode, RegExp][] = [
    ["that does not exist", WEB, ["nosuch"], "command-not-found", /nosuch.*executable file not found/],
    ["with a path that does not exist", WEB, ["/no/such"], "command-not-found", /no such file/],
    ["that is a directory", WEB, ["/etc"], "command-not-executable", /permission denied/],
    ["that is a shell, where there is none", NOSHELL, ["sh"], "command-not-found", /"sh".*not found/],
    ["of no name", WEB, [""], "command-not-found", /not found/],
  ];
  for (const [name, container, command, code, words] of mistakes)
    for (const tty of [false, true])
      test(`${name} is refused in the engine's words, ${tty ? "on a terminal" : "without one"}`, async () => {
        await refused(client.exec(container, { ...cat, command, tty }), code, words);
      });

  test("in a directory, or of a user, that does not exist is refused", async () => {
    await refused(client.exec(WEB, { ...cat, workdir: "/no/such" }), "bad-request", /no such/);
    await refused(
      client.exec(WEB, { ...cat, user: "nobody-at-all" }),
      "bad-request",
      /unable to find user|no matching/,
    );
  });
});

suite("a port", () => {
  test("on which nothing listens is refused each time, and its forward stays", async () => {
    const forward = await client.forward(WEB, ports);
    for (let i = 0; i < 3; i += 1)
      await refused(dialled(forward.dial(80)), "dial-refused", /Nothing listens on port 80/);
    await forward.close();
  });

  for (const port of [0, 65_536, -1, 80.5, "80 ", "80", null, 1e99])
    test(`${JSON.stringify(port)} is none`, async () => {
      await refused(open(agent, { op: "forward", container: WEB }, { ports: [port] }), "bad-request", /ports\.0/);
    });

  test("that the forward was not opened for is refused, and so is a wrong secret", async () => {
    const forward = await open(agent, { op: "forward", container: WEB, onDrop: "kill" }, ports);
    const { session, secret } = forward.opened;
    await refused(open(agent, { op: "dial", session }, { secret, port: 81 }), "bad-request", /not opened for port 81/);
    const wrong = randomBytes(24).toString("base64url");
    await refused(open(agent, { op: "dial", session }, { secret: wrong, port: 80 }), "session-gone", /has ended/);
    forward.cut();
  });
});

suite("a request", () => {
  const header = { op: "exec", container: WEB };
  const mistakes: [string, object | string, unknown, ErrorCode, RegExp][] = [
    ["without JSON", "hello", cat, "bad-request", /not valid JSON/],
    ["in no UTF-8", Buffer.from([0x22, 0xff, 0x22]), cat, "bad-request", /not valid JSON/],
    ["for an unknown operation", { ...header, op: "format-disk" }, cat, "bad-request", /op/],
    ["with an unknown field", { ...header, privileged: true }, cat, "bad-request", /privileged/],
    ["with a prototype", '{"op":"exec","container":"web","__proto__":{"x":1}}', cat, "bad-request", /__proto__/],
    ["without a container", { op: "exec" }, cat, "not-found", /no container ""/],
    ["with an endless name", { ...header, container: "x".repeat(257) }, cat, "bad-request", /container/],
    ["with a header beyond its limit", { ...header, container: "x".repeat(17_000) }, cat, "too-large", /16384/],
    ["with a negative grace", { ...header, grace: -1 }, cat, "bad-request", /grace/],
    ["with an unknown fate", { ...header, onDrop: "hide" }, cat, "bad-request", /onDrop/],
    ["without a command", header, { ...cat, command: [] }, "bad-request", /command/],
    ["with too many arguments", header, { ...cat, command: Array(257).fill("x") }, "bad-request", /command/],
    ["with NUL in an argument", header, { ...cat, command: ["a\0b"] }, "bad-request", /NUL/],
    ["with a variable without a value", header, { ...cat, env: ["PATH"] }, "bad-request", /NAME=value/],
    ["with a size of nothing", header, { ...cat, tty: true, size: { cols: 0, rows: 24 } }, "bad-request", /cols/],
    ["with an unknown field in its body", header, { ...cat, privileged: true }, "bad-request", /privileged/],
    ["for a log since a word", { op: "logs", container: WEB }, { ...logs, since: "yesterday" }, "bad-request", /since/],
    ["for a log's tail of -1", { op: "logs", container: WEB }, { ...logs, tail: -1 }, "bad-request", /tail/],
  ];
  for (const [name, head, body, code, words] of mistakes)
    test(`${name} is refused, and the connection goes on`, async () => {
      const peer = await PeerSocket.connect(agent);
      peer.say(HELLO);
      peer.open(1, head, body);
      const problem = await peer.answer(1);
      assert.equal(problem["code"], code);
      assert.match(String(problem["detail"]), words);
      assert.equal((await peer.hears("close", 1)).code, 1000);
      peer.open(3, { op: "logs", container: WEB }, logs);
      assert.ok((await peer.answer(3))["session"]);
      peer.say({ type: "close", channel: 3, code: 1000, reason: "done" });
      peer.socket.close(1000);
      await peer.closed;
    });
});

suite("a resume", () => {
  /** A kept session whose connection went, and what it takes to resume it. */
  async function left() {
    const session = await open(agent, { op: "exec", container: WEB, onDrop: "keep" }, cat);
    session.cut();
    const { session: id, secret } = session.opened;
    return { session: id, secret, epoch: 2, received: 0 };
  }

  /** Whatever was refused before: who knows everything goes on with it, and ends it. */
  async function goesOn(known: Awaited<ReturnType<typeof left>>, epoch = 2): Promise<void> {
    const again = await resume(agent, { ...known, epoch });
    assert.equal(again.opened.epoch, epoch);
    again.close();
  }

  test("of an unknown session and one with a wrong secret are told apart by nobody", async () => {
    const known = await left();
    const secret = randomBytes(24).toString("base64url");
    const unknown = await refusal(resume(agent, { ...known, session: "0".repeat(24) }));
    const wrong = await refusal(resume(agent, { ...known, secret }));
    assert.deepEqual(unknown, wrong);
    assert.equal(wrong.code, "session-gone");
    await goesOn(known);
  });

  test("of somebody else's session is refused like an unknown one, whatever he knows", async () => {
    const known = await left();
    const stolen = await refusal(resume({ ...agent, token: OTHER }, known));
    assert.deepEqual(stolen, await refusal(resume(agent, { ...known, session: "0".repeat(24) })));
    await goesOn(known);
  });

  test("of an epoch that has passed is refused, also the present one", async () => {
    const known = await left();
    const newest = await resume(agent, { ...known, epoch: 7 });
    for (const epoch of [1, 2, 6, 7]) await refused(resume(agent, { ...known, epoch }), "stale-epoch", /resumed/);
    newest.cut();
    await goesOn(known, 8);
  });

  test("from an offset that was never reached, or lies in a packet, is refused", async () => {
    const known = await left();
    for (const received of [1, 1_000_000, Number.MAX_SAFE_INTEGER])
      await refused(resume(agent, { ...known, received }), "protocol-error", /cannot continue from offset/);
    await goesOn(known);
  });

  test("with an impossible epoch, offset or secret is refused", async () => {
    const known = await left();
    await refused(resume(agent, { ...known, epoch: 0 }), "bad-request", /epoch/);
    await refused(resume(agent, { ...known, epoch: 1.5 }), "bad-request", /epoch/);
    await refused(resume(agent, { ...known, received: -1 }), "bad-request", /received/);
    await refused(resume(agent, { ...known, secret: "short" }), "bad-request", /secret/);
    await goesOn(known);
  });

  test("takes the session away from a connection that still seems alive, which is told", async () => {
    const first = await open(agent, { op: "exec", container: WEB, onDrop: "keep" }, cat);
    const { session, secret } = first.opened;
    const second = await resume(agent, { session, secret, epoch: 2, received: 0 });
    const { code, reason } = await first.closed;
    assert.deepEqual([code, reason], [1000, "resumed on another connection"]);
    second.close();
  });

  test("of a session that was closed is refused", async () => {
    const session = await open(agent, { op: "exec", container: WEB, onDrop: "keep" }, cat);
    session.close();
    await carries(agent, 1);
    const { session: id, secret } = session.opened;
    await refused(resume(agent, { session: id, secret, epoch: 2, received: 0 }), "session-gone", /has ended/);
  });
});

/** A connection of a forward is refused once it is asked for anything. */
async function dialled(dialling: Promise<RemoteSession>): Promise<void> {
  const session = await dialling;
  await session.opened;
}

async function refused(asking: Promise<unknown>, code: ErrorCode, words: RegExp): Promise<void> {
  const problem = await refusal(asking);
  assert.equal(problem.code, code, problem.words);
  assert.match(problem.words, words);
}

async function refusal(asking: Promise<unknown>): Promise<{ code: string; words: string }> {
  const error: unknown = await asking.then(
    () => assert.fail("it was not refused"),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof Error && "code" in error, `refused with ${String(error)}`);
  return { code: String(error.code), words: error.message };
}
