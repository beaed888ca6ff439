/** The real agent's figures, read over HTTP as a monitor reads them, after a session of each kind. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { RemoteSession } from "../../src/client/session.ts";
import { FairleadError } from "../../src/protocol/errors.ts";
import { connectTo, portOf } from "../fault/stage.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { documented, figuresOf, namesOf } from "../support/figures.ts";
import { until } from "../support/until.ts";
import { converse, requestText } from "../support/front.ts";

const NAME = "metrics-web";
const ECHO_PORT = 7000;
const PAGE_PORT = 80;
const PAGE = "hello";
/** Prints one line, and serves a page and an echo. */
const MAIN = `mkdir /www; printf ${PAGE} > /www/index.html; echo started; nc -ll -p ${ECHO_PORT} -e cat & exec httpd -f -p ${PAGE_PORT} -h /www`;
const BYTES = 10_000;

suite("the agent's metrics", () => {
  let engine: Engine;
  let agent: TestAgent;
  let client: ReturnType<typeof connectTo>;
  before(async () => {
    engine = await sharedEngine();
    await engine.run(NAME, { command: ["sh", "-c", MAIN] });
    agent = await startAgent({ engine, flags: ["--host-shell"] });
    client = connectTo(agent);
  });
  after(async () => {
    await client?.close();
    await agent?.stop();
    await engine?.docker("rm", "--force", NAME);
  });

  /** Resolves with the figures once this one is so. */
  const once = (series: string, value: number) =>
    until(`${series} being ${value}`, async () => {
      const figures = await figuresOf(agent);
      return figures(series) === value && figures;
    });
  const ended = (kind: string, reason: string) => `fairlead_sessions_ended_total{kind="${kind}",reason="${reason}"}`;
  const bytes = (kind: string, direction: string) =>
    `fairlead_session_bytes_total{kind="${kind}",direction="${direction}"}`;

  test("are those that docs/metrics.md describes, and no others", async () => {
    assert.deepEqual((await namesOf(agent)).toSorted(), documented("Both", "The agent").toSorted());
  });

  test("count an exec by how it ended, with its bytes and how long it took to begin", async () => {
    const exec = (script: string) =>
      client.exec(NAME, { command: ["sh", "-c", script], tty: false, stdin: true }).then(finished);
    await exec(`head -c ${BYTES} /dev/zero`);
    await exec("exit 3");
    const figures = await once(ended("exec", "success"), 1);
    await once(ended("exec", "failure"), 1);
    assert.equal(figures(`fairlead_sessions_opened_total{kind="exec"}`), 2);
    assert.equal(figures(`fairlead_session_open_seconds_count{kind="exec"}`), 2);
    assert.ok(figures(bytes("exec", "out")) >= BYTES);
    assert.equal(figures(`fairlead_engine_call_seconds_count{verb="exec"}`), 2);
  });

  test("count what a live session has moved, once, and keep it when it has ended", async () => {
    const session = await client.exec(NAME, { command: ["cat"], tty: false, stdin: true });
    const before = (await figuresOf(agent))(bytes("exec", "in"));
    const written = session.send({ type: "stdin", bytes: Buffer.alloc(BYTES) });
    const reading = finished(session);
    const live = await once(bytes("exec", "in"), before + BYTES);
    assert.equal(live(`fairlead_sessions{kind="exec"}`), 1);
    assert.equal(live("fairlead_client_connections"), 1);
    assert.equal(live(`fairlead_channels{via="direct"}`), 1);
    await written;
    await session.send({ type: "end" });
    await reading;
    const over = await once(`fairlead_sessions{kind="exec"}`, 0);
    assert.equal(over(bytes("exec", "in")), before + BYTES);
  });

  test("count a log, an attach, copies and a shell on the host", async () => {
    const streams = { stdout: true, stderr: true };
    await finished(await client.logs(NAME, { ...streams, follow: false, timestamps: false }));
    const attach = await client.attach(NAME, { ...streams, stdin: false });
    await attach.close();
    await finished(await client.copyOut(NAME, { path: "/www/index.html" }));
    const copy = await client.copyIn(NAME, { path: "/www" });
    const copying = finished(copy);
    await copy.send({ type: "stdin", bytes: Buffer.alloc(1_024) });
    await copy.send({ type: "end" });
    await copying;
    await finished(await client.shell({ command: ["true"], tty: false, stdin: false }));
    await once(ended("attach", "client-gone"), 1);
    for (const kind of ["logs", "copy-out", "copy-in", "shell"]) await once(ended(kind, "success"), 1);
    const figures = await figuresOf(agent);
    assert.ok(figures(bytes("logs", "out")) >= "started\n".length);
    assert.equal(figures(bytes("copy-in", "in")), 1_024);
    for (const verb of ["attach", "copy-out", "copy-in"])
      assert.equal(figures(`fairlead_engine_call_seconds_count{verb="${verb}"}`), 1, verb);
  });

  test("count a forward with its connections, while they live and afterwards", async () => {
    const forward = await client.forward(NAME, { ports: [ECHO_PORT] });
    const connection = await forward.dial(ECHO_PORT);
    const reading = finished(connection);
    await connection.send({ type: "stdin", bytes: Buffer.alloc(BYTES) });
    const live = await once(bytes("forward", "out"), BYTES);
    assert.equal(live("fairlead_forwarded_connections"), 1);
    assert.equal(live(`fairlead_sessions{kind="connection"}`), 1);
    await connection.send({ type: "end" });
    await reading;
    await forward.close();
    const over = await once("fairlead_forwarded_connections", 0);
    assert.equal(over(bytes("forward", "in")), BYTES);
    assert.equal(over(bytes("forward", "out")), BYTES);
    assert.equal(over(`fairlead_forwarded_connections_total{kind="forward"}`), 1);
    assert.equal(over(`fairlead_session_open_seconds_count{kind="connection"}`), 1);
    assert.equal(over(`fairlead_engine_call_seconds_count{verb="dial"}`), 1);
  });

  test("count a container's page", async () => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ port: PAGE_PORT });
    const answer = await agent.fetch(`/api/v1/containers/${NAME}/open`, { method: "POST", headers, body });
    const { host, pathname, search } = new URL(((await answer.json()) as { url: string }).url);
    const opened = await converse(portOf(agent), requestText(host, { path: pathname + search }));
    const cookie = `Cookie: ${(opened.headers["set-cookie"] ?? "").split(";", 1)[0]}`;
    const page = await converse(portOf(agent), requestText(host, { headers: [cookie] }));
    assert.equal(page.body, PAGE);
    const figures = await figuresOf(agent);
    assert.equal(figures(`fairlead_sessions{kind="proxy"}`), 1);
    assert.equal(figures(`fairlead_forwarded_connections_total{kind="proxy"}`), 1);
    assert.ok(figures(bytes("proxy", "out")) > PAGE.length);
    assert.equal(figures(`fairlead_http_requests_total{route="app",status="200"}`), 1);
  });

  test("count what is refused, at the desk and at the door, by why", async () => {
    const absent = client.exec("no-such", { command: ["true"], tty: false, stdin: false });
    await assert.rejects(absent, (error) => error instanceof FairleadError && error.code === "not-found");
    assert.equal((await agent.fetch("/api/v1/nowhere")).status, 404);
    assert.equal((await agent.fetch("/api/v1/containers", { headers: { authorization: "Bearer x" } })).status, 401);
    const figures = await figuresOf(agent);
    assert.equal(figures(`fairlead_sessions_refused_total{kind="exec",code="not-found"}`), 1);
    assert.equal(figures(`fairlead_http_refusals_total{code="not-found"}`), 1);
    assert.equal(figures(`fairlead_http_refusals_total{code="unauthenticated"}`), 1);
  });

  test("count what the engine did not do, by verb and why", async () => {
    const answer = await agent.fetch(`/api/v1/containers/${NAME}`, { method: "DELETE" });
    assert.equal(answer.status, 409);
    const figures = await figuresOf(agent);
    assert.equal(figures(`fairlead_engine_call_failures_total{verb="remove",code="conflict"}`), 1);
    assert.equal(figures("fairlead_engine_up"), 1);
    assert.ok(figures("fairlead_containers_running") >= 1);
  });

  test("tell the audit log, the limits and the process", async () => {
    const figures = await figuresOf(agent);
    for (const name of ["audit_records_total", "audit_size_bytes", "audit_limit_bytes", "sessions_limit"])
      assert.ok(figures(`fairlead_${name}`) > 0, name);
    assert.ok(figures("fairlead_replay_budget_limit_bytes") > figures("fairlead_replay_budget_used_bytes"));
    const delay = (quantile: string) => figures(`fairlead_event_loop_delay_seconds{quantile="${quantile}"}`);
    assert.ok(delay("1") > 0 && delay("1") >= delay("0.99") && delay("0.99") >= delay("0.5"));
  });

  test("have no name of a container or a person in them", async () => {
    const text = await (await agent.fetch("/metrics")).text();
    for (const word of [NAME, "local", "no-such"]) assert.ok(!text.includes(`"${word}`), word);
  });
});

/** Reads it to its end. */
async function finished(session: RemoteSession): Promise<void> {
  for await (const { type } of session.packets())
    if (type === "end") await session.send({ type: "end" }).catch(() => {});
}
