import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Refusals } from "../../../src/audit/refusals.ts";
import { newSecret } from "../../../src/auth/secret.ts";
import type { TokenGrant } from "../../../src/auth/tokens.ts";
import { Client } from "../../../src/client/client.ts";
import { dialler } from "../../../src/ctl/connection/dial.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { Budget } from "../../../src/mux/budget.ts";
import { Mux } from "../../../src/mux/mux.ts";
import type { AuditLine } from "../../../src/protocol/audit.ts";
import type { Grant } from "../../../src/protocol/rights.ts";
import { startAgent } from "../../support/agent.ts";
import { auditOf } from "../../support/audit.ts";
import { type Front, startFront } from "../../support/front.ts";
import { until } from "../../support/until.ts";

const token = newSecret();
const grant: Grant = { subject: "token:blue", rights: ["exec"], scopes: [{ team: "blue" }] };
const EXEC = { command: ["true"], tty: false, stdin: false };
/** Of one caller's refusals within a minute. */
const IN_FULL = 20;

/** Asks over a WebSocket of its own, in the given bytes, and resolves with the code of the refusal. */
async function refusal(front: Front, header: unknown, body: unknown = {}): Promise<string> {
  const transport = await dial({ url: front.url, token })(AbortSignal.timeout(5_000));
  const mux = new Mux(transport, { role: "dialler", software: "test", budget: new Budget(1e6) });
  const bytes = (value: unknown) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
  const channel = mux.open({ header: bytes(header), body: bytes(body) });
  const answer = new Promise<string>((resolve) => {
    const reply = (words: Uint8Array) => resolve(JSON.parse(Buffer.from(words).toString()).code);
    channel.start({ message() {}, credit() {}, ack() {}, reply, close: ({ reason }) => resolve(reason) });
  });
  const code = await answer;
  mux.close(1000, "done");
  return code;
}

/** What was written of refusals; who and where from is the same in all. */
function refusals(front: Front): Pick<AuditLine, "kind" | "reference" | "outcome">[] {
  return front.desk.audit
    .filter(({ event }) => event === "refuse")
    .map(({ kind, reference, outcome, subject, remote }) => {
      assert.deepEqual([subject, remote], ["token:blue", "127.0.0.1 fairlead.v1"]);
      assert.ok(outcome);
      return { kind, outcome, ...(reference !== undefined && { reference }) };
    });
}

suite("the audit log over HTTP", () => {
  test("keeps some of the places of its followers for the others", async () => {
    const tokens: TokenGrant[] = [{ token, grant: { subject: "token:blue", rights: ["admin"], scopes: [] } }];
    await using front = await startFront({ tokens, config: { limits: { watches: 4 } } });
    let left = new AbortController();
    const follow = async (secret: string) => {
      const headers = { authorization: `Bearer ${secret}` };
      const { status } = await fetch(`${front.url}/api/v1/audit?follow=1`, { headers, signal: left.signal });
      return status;
    };
    for (const status of [200, 200, 200, 429]) assert.equal(await follow(token), status);
    for (const status of [200, 429]) assert.equal(await follow(front.admin), status);
    left.abort();
    left = new AbortController();
    await until("a place that is free again", async () => (await follow(token)) === 200);
    left.abort();
  });
});

suite("the audit of refusals", () => {
  test("has a line for each: who, from where, for what, and why", async () => {
    await using front = await startFront({ tokens: [{ token, grant }] });
    const secret = "s".repeat(16);
    const session = "f".repeat(24);
    const asked: [unknown, unknown, string, Pick<AuditLine, "kind" | "reference">][] = [
      [{ op: "exec", container: "web" }, EXEC, "not-found", { kind: "exec", reference: "web" }],
      [{ op: "exec", container: "nobody" }, EXEC, "not-found", { kind: "exec", reference: "nobody" }],
      [{ op: "exec", container: "web" }, {}, "bad-request", { kind: "exec", reference: "web" }],
      [{ op: "dial", session }, { secret, port: 80 }, "session-gone", { kind: "dial", reference: session }],
      [
        { op: "resume", session },
        { secret, epoch: 2, received: 0 },
        "session-gone",
        { kind: "resume", reference: session },
      ],
      [{ op: "observe", session }, {}, "session-gone", { kind: "observe", reference: session }],
      [{ op: "burn", container: "web" }, {}, "bad-request", { kind: "unknown" }],
      [{ op: "exec", container: "x".repeat(257) }, EXEC, "bad-request", { kind: "unknown" }],
      ["no JSON\n", "", "bad-request", { kind: "unknown" }],
    ];
    for (const [header, body, code] of asked) assert.equal(await refusal(front, header, body), code);
    assert.deepEqual(
      refusals(front),
      asked.map(([, , outcome, line]) => ({ ...line, outcome })),
    );
  });

  test("shows characters that a terminal would obey or hide", async () => {
    await using front = await startFront({ tokens: [{ token, grant }] });
    await refusal(front, { op: "exec", container: "a\n\u001b[2J\u009b\u007f\u202e\u2028b" }, EXEC);
    assert.deepEqual(refusals(front), [
      { kind: "exec", outcome: "not-found", reference: "a\\u{a}\\u{1b}[2J\\u{9b}\\u{7f}\\u{202e}\\u{2028}b" },
    ]);
  });

  test("keeps a caller that hammers from washing the others away, and counts what it does not write", async () => {
    const other = newSecret();
    const tokens = [
      { token, grant },
      { token: other, grant: { ...grant, subject: "token:other" } },
    ];
    await using front = await startFront({ tokens });
    const client = clientOf(front);
    for (let i = 0; i < 3; i += 1)
      await Promise.all(Array.from({ length: 100 }, () => assert.rejects(client.exec("nobody", EXEC))));
    await client.close();
    assert.equal(refusals(front).length, IN_FULL);
    const neighbour = clientOf(front, other);
    await assert.rejects(neighbour.exec("nobody", EXEC));
    await neighbour.close();
    assert.equal(front.desk.audit.at(-1)?.subject, "token:other");
    await front.desk.sessions.close();
    const { subject, more } = front.desk.audit.at(-1) ?? {};
    assert.deepEqual({ subject, more }, { subject: "token:blue", more: 300 - IN_FULL - 1 });
  });

  test("tells the number at the end of the period, and begins anew", async () => {
    const lines: AuditLine[] = [];
    let told: () => void = () => {};
    const numbered = new Promise<void>((resolve) => {
      told = resolve;
    });
    const refused = new Refusals((line) => {
      lines.push(line);
      if (line.more !== undefined) told();
    }, 20);
    const line = { kind: "exec", subject: "a", remote: "here", outcome: "not-found" };
    for (let i = 0; i < IN_FULL + 5; i += 1) refused.note({ ...line, reference: String(i) });
    assert.equal(lines.length, IN_FULL);
    // The period's own timer keeps no program alive.
    const awake = setTimeout(() => assert.fail("the period did not end"), 5_000);
    await numbered;
    clearTimeout(awake);
    assert.deepEqual(lines.at(-1), { event: "refuse", ...line, reference: String(IN_FULL + 4), more: 4 });
    refused.note(line);
    assert.deepEqual(lines.at(-1), { event: "refuse", ...line });
    refused.close();
    assert.equal(lines.length, IN_FULL + 2);
  });

  test("stands in the audit log, and takes little of it", async () => {
    const agent = await startAgent({ engine: { host: "unix:///nowhere/docker.sock" } });
    const client = new Client({ software: "test", dial: dial(agent) });
    for (let i = 0; i < 10; i += 1)
      await Promise.all(
        Array.from({ length: 200 }, () => assert.rejects(client.exec("web", EXEC), { code: "engine-unavailable" })),
      );
    await client.close();
    agent.kill("SIGTERM");
    await agent.exited;
    const written = (await auditOf(agent)).filter(({ event }) => event === "refuse");
    await agent.stop();
    assert.equal(written.length, IN_FULL + 1);
    const [first] = written;
    assert.deepEqual(
      [first?.kind, first?.subject, first?.reference, first?.outcome, first?.remote],
      ["exec", "local", "web", "engine-unavailable", "127.0.0.1 fairlead.v1"],
    );
    assert.equal(written.at(-1)?.more, 2_000 - IN_FULL - 1);
  });
});

test("the audit of a session survives a command that is longer than a line of the log", async () => {
  await using front = await startFront({ desk: { exec: async () => ({ code: 0 }) } });
  const client = clientOf(front, front.admin);
  const command = ["sh", "-c", "\u0001".repeat(40_000)];
  await client.exec("web", { ...EXEC, command });
  const [line] = front.desk.audit;
  assert.deepEqual(line?.command?.slice(0, 2), ["sh", "-c"]);
  assert.equal(line?.command?.at(-1), `(${40_004 - 4_096} more characters)`);
  assert.ok(JSON.stringify(line).length < 32_768);
  await client.close();
});

function clientOf({ url }: Front, secret = token): Client {
  return new Client({ software: "test", dial: dial({ url, token: secret }) });
}

function dial({ url, token }: { url: string; token: string }) {
  return dialler({ url: new URL(url), token: new Secret(token), urlFrom: "the test", tokenFrom: "the test" });
}
