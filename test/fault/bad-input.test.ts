/** What people ask for by mistake, over real sockets: each refused with words that help, and no harm done. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { suite, test } from "node:test";
import type { RemoteSession } from "../../src/client/session.ts";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import type { Packet } from "../../src/protocol/packet.ts";
import { open } from "./raw.ts";
import { refused } from "./refusal.ts";
import { Scene } from "./scene.ts";

const WEB = "fault-input-web";
const STOPPED = "fault-input-stopped";
const NOSHELL = "fault-input-noshell";
const TWIN = ["--label", "com.docker.compose.project=fault", "--label", "com.docker.compose.service=twin"];

const cat = { command: ["cat"], tty: false, stdin: true };
const attach = { stdin: false, stdout: true, stderr: true };
const logs = { follow: false, stdout: true, stderr: true, timestamps: false };
const ports = { ports: [80] };

const scene = Scene.forThisFile({
  neighbour: "fault-input-neighbour",
  containers: {
    [WEB]: {},
    [STOPPED]: {},
    [NOSHELL]: { image: "noshell" },
    "fault-input-twin-1": { args: TWIN },
    "fault-input-twin-2": { args: TWIN },
  },
  prepare: (engine) => engine.docker("kill", STOPPED),
});
type Verb = "exec" | "attach" | "logs" | "forward";
const verbs: Record<Verb, (container: string) => Promise<unknown>> = {
  exec: (container) => scene.client.exec(container, cat),
  attach: (container) => scene.client.attach(container, attach),
  logs: (container) => scene.client.logs(container, logs),
  forward: (container) => scene.client.forward(container, ports),
};

suite("a container", () => {
  for (const [verb, ask] of Object.entries(verbs)) {
    test(`that does not exist is refused to ${verb}, with what it could have been`, async () => {
      await refused(ask("fault-input-wev"), "not-found", /fault-input-wev.*Did you mean fault-input-web/);
      await refused(ask("../../etc/passwd"), "not-found", /No container/);
      await refused(ask("f".repeat(64)), "not-found", /No container/);
    });

    test(`that could be two is refused to ${verb}, naming both`, async () => {
      await refused(ask("fault/twin"), "ambiguous", /fault-input-twin-\d.*fault-input-twin-\d/);
    });
  }

  test("that is stopped runs no command and takes no attach", async () => {
    await refused(scene.client.exec(STOPPED, cat), "not-running", /not running/);
    await refused(scene.client.attach(STOPPED, attach), "not-running", /not running/);
  });

  test("that is stopped has a log and an end of it", async () => {
    const session = await scene.client.logs(STOPPED, { ...logs, follow: true });
    const packets: Packet[] = [];
    for await (const packet of session.packets()) packets.push(packet);
    assert.deepEqual(packets.at(-1), { type: "exit", status: { code: 0 } });
  });

  test("that is stopped refuses each connection, and its forward stays", async () => {
    const forward = await scene.client.forward(STOPPED, ports);
    for (let i = 0; i < 2; i += 1) await refused(dialled(forward.dial(80)), "not-running", /not running/);
    await forward.close();
  });
});

/** As a shell would read them, or a program that takes options. */
const WORDS = ["; touch /x", "$(id)", "`id`", "| id", "&& id", "> /x", "*", "'\"", "a\nb", "-rf", "--", "${PATH}", ""];

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
        await refused(scene.client.exec(container, { ...cat, command, tty }), code, words);
      });

  test("in a directory, or of a user, that does not exist is refused", async () => {
    await refused(scene.client.exec(WEB, { ...cat, workdir: "/no/such" }), "bad-request", /no such/);
    await refused(
      scene.client.exec(WEB, { ...cat, user: "nobody-at-all" }),
      "bad-request",
      /unable to find user|no matching/,
    );
  });

  test("has its arguments as they are, and no shell reads them (CVE-2026-24841)", async () => {
    const session = await scene.client.exec(WEB, { ...cat, command: ["printf", "<%s>", ...WORDS] });
    let said = "";
    for await (const packet of session.packets())
      if (packet.type === "stdout") said += Buffer.from(packet.bytes).toString();
    assert.equal(said, WORDS.map((word) => `<${word}>`).join(""));
  });

  test("of a user whose name is an option is refused, and nothing runs (CVE-2026-24061)", async () => {
    for (const user of ["-f root", "-froot", "root;id", "root root", "$(id)"])
      await refused(scene.client.exec(WEB, { ...cat, user }), "bad-request", /./);
    assert.equal(await scene.engine.docker("diff", WEB), "");
  });
});

suite("a port", () => {
  test("on which nothing listens is refused each time, and its forward stays", async () => {
    const forward = await scene.client.forward(WEB, ports);
    for (let i = 0; i < 3; i += 1)
      await refused(dialled(forward.dial(80)), "dial-refused", /Nothing listens on port 80/);
    await forward.close();
  });

  for (const port of [0, 65_536, -1, 80.5, "80 ", "80", null, 1e99])
    test(`${JSON.stringify(port)} is none`, async () => {
      await refused(open(scene.agent, { op: "forward", container: WEB }, { ports: [port] }), "bad-request", /ports\.0/);
    });

  test("that the forward was not opened for is refused, and so is a wrong secret", async () => {
    const forward = await open(scene.agent, { op: "forward", container: WEB, onDrop: "kill" }, ports);
    const { session, secret } = forward.opened;
    await refused(
      open(scene.agent, { op: "dial", session }, { secret, port: 81 }),
      "bad-request",
      /not opened for port 81/,
    );
    const wrong = randomBytes(24).toString("base64url");
    await refused(open(scene.agent, { op: "dial", session }, { secret: wrong, port: 80 }), "session-gone", /has ended/);
    forward.cut();
  });
});

/** A connection of a forward is refused once it is asked for anything. */
async function dialled(dialling: Promise<RemoteSession>): Promise<void> {
  const session = await dialling;
  await session.opened;
}
