/** Every right with every scope, against every operation on every container, through the relay: let in exactly where the table says so. */

import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import type { Client } from "../../../src/client/client.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";
import { RIGHTS, type Right, type Scope } from "../../../src/protocol/rights.ts";
import { RelayRig } from "../../support/relay.ts";
import { container } from "../../support/scripted-runtime.ts";
import { until } from "../../support/until.ts";

const BLUE = container({ id: "b".repeat(64), name: "blue", labels: { team: "blue" } });
const RED = container({ id: "e".repeat(64), name: "red", labels: { team: "red" } });

const SCOPES: { scopes: Scope[]; reaches: string[] }[] = [
  { scopes: [], reaches: ["blue", "red"] },
  { scopes: [{ team: "blue" }], reaches: ["blue"] },
  { scopes: [{ team: "" }], reaches: ["blue", "red"] },
  { scopes: [{ team: "blue", tier: "db" }], reaches: [] },
];

const NODE = { node: "box" };
const OUTPUT = { stdout: true, stderr: true };
const LOGS = { follow: false, ...OUTPUT, timestamps: false };

interface Operation {
  needs: Right;
  open: (client: Client, container: string) => Promise<{ close(): Promise<void> }>;
}

const OPERATIONS: Operation[] = [
  { needs: "exec", open: (client, it) => client.exec(it, { command: ["x"], tty: false, stdin: false }, NODE) },
  { needs: "attach-ro", open: (client, it) => client.attach(it, { stdin: false, ...OUTPUT }, NODE) },
  { needs: "attach-rw", open: (client, it) => client.attach(it, { stdin: true, ...OUTPUT }, NODE) },
  { needs: "logs", open: (client, it) => client.logs(it, LOGS, NODE) },
  { needs: "forward", open: (client, it) => client.forward(it, { ports: [80] }, NODE) },
];

test("operations, rights and scopes through the relay: nothing gets through that should not, and nothing is refused that should", async (t) => {
  const rig = await RelayRig.start();
  t.after(() => rig[Symbol.asyncDispose]());
  const desk = await rig.desk("box", {
    containers: [BLUE, RED],
    exec: async ({ ended }) => ended.then(() => ({ code: 0 })),
    logs: async function* () {},
    dial: () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }),
  });
  await until("the agent's connection", () => desk.isConnected());
  const wrong: string[] = [];
  let asked = 0;
  for (const right of [undefined, ...RIGHTS])
    for (const [i, { scopes, reaches }] of SCOPES.entries()) {
      const token = `${right ?? "nothing"}-${i}`;
      rig.admit(token, { subject: "", rights: right ? [right] : [], scopes });
      const client = rig.client({ token });
      for (const { needs, open } of OPERATIONS)
        for (const { name } of [BLUE, RED]) {
          asked += 1;
          const should = (right === needs || right === "admin") && reaches.includes(name);
          const answer = await outcome(open(client, name));
          if (answer !== (should ? "let in" : "not-found")) wrong.push(`${token}: ${needs} on ${name}: ${answer}`);
        }
      await client.close();
    }
  assert.deepEqual(wrong, []);
  assert.equal(asked, (RIGHTS.length + 1) * SCOPES.length * OPERATIONS.length * 2);
});

async function outcome(attempt: Promise<{ close(): Promise<void> }>): Promise<string> {
  try {
    await (await attempt).close();
    return "let in";
  } catch (error) {
    return error instanceof FairleadError ? error.code : String(error);
  }
}
