import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { buffer, text } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { carries } from "../fault/stage.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { type Run, runCtl, startCtl } from "./ctl.ts";
import { Gate } from "./gate.ts";
import { freePort } from "../support/free-port.ts";

suite("ctl port-forward", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    // 7000 gives back what it gets, 7001 counts it once the input ends, 7002 listens on the container's loopback only,
    // 7004 takes nothing.
    const services = [
      "nc -ll -p 7000 -e cat",
      "nc -ll -p 7001 -e wc -c",
      "httpd -f -p 127.0.0.1:7002",
      "nc -ll -p 7003 -e cat /dev/zero",
      "nc -ll -p 7004 -e true",
    ];
    await engine.run("ctl-forward", { command: ["sh", "-c", `${services.join(" & ")} & wait`] });
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-forward");
  });

  /** The local port that leads to this one of the container. */
  async function localPort(run: Run, remote: number): Promise<number> {
    const [, port] = await run.says(new RegExp(`Forwarding 127\\.0\\.0\\.1:(\\d+) -> [^ ]+:${remote}\n`));
    return Number(port);
  }

  async function ask(port: number, question: string, host = "127.0.0.1"): Promise<string> {
    const socket = connect({ port, host, allowHalfOpen: true });
    socket.end(question);
    return text(socket);
  }

  async function stop(run: Run): Promise<void> {
    run.child.kill("SIGINT");
    assert.equal((await run.ended).code, 130);
  }

  test("three ports in one command, each address told, half-closed connections answered", async () => {
    const chosen = await freePort();
    const run = startCtl(agent, "port-forward", "ctl-forward", `${chosen}:7000`, ":7001", ":7002");
    assert.equal(await localPort(run, 7000), chosen);
    assert.equal(await ask(chosen, "hello"), "hello");
    assert.equal((await ask(await localPort(run, 7001), "x".repeat(70_000))).trim(), "70000");
    assert.match(await ask(await localPort(run, 7002), "GET /none HTTP/1.0\r\n\r\n"), /^HTTP\/1\.[01] 404 /);
    await stop(run);
  });

  test("localhost is both 127.0.0.1 and ::1, with the same port", async () => {
    const run = startCtl(agent, "port-forward", "ctl-forward", ":7000");
    const port = await localPort(run, 7000);
    await run.says(new RegExp(`Forwarding \\[::1\\]:${port} -> ctl-forward:7000\n`));
    assert.equal(await ask(port, "six", "::1"), "six");
    await stop(run);
  });

  test("--address names other addresses", async () => {
    const run = startCtl(agent, "port-forward", "--address", "127.0.0.2,127.0.0.3", "ctl-forward", ":7000");
    for (const host of ["127.0.0.2", "127.0.0.3"]) {
      const [, port] = await run.says(new RegExp(`Forwarding ${host}:(\\d+) -> ctl-forward:7000\n`));
      assert.equal(await ask(Number(port), host, host), host);
    }
    await stop(run);
  });

  test("megabytes go both ways at once unchanged", async () => {
    const run = startCtl(agent, "port-forward", "ctl-forward", ":7000");
    const socket = connect({ port: await localPort(run, 7000), allowHalfOpen: true });
    const sent = randomBytes(20_000_000);
    socket.end(sent);
    assert.ok(sent.equals(await buffer(socket)));
    await stop(run);
  });

  test("a refused port and a reset harm no other connection", async () => {
    const run = startCtl(agent, "port-forward", "ctl-forward", ":7000", ":7999", ":7003");
    const neighbour = connect({ port: await localPort(run, 7000) });
    await once(neighbour, "connect");
    const refused = connect({ port: await localPort(run, 7999) });
    assert.equal(await failure(refused), "ECONNRESET");
    await run.says(/ctl: A connection to port 7999 failed: .*\n/);
    const cut = connect({ port: await localPort(run, 7003) });
    await once(cut, "data");
    cut.resetAndDestroy();
    neighbour.end("still here");
    assert.equal(await text(neighbour), "still here");
    await stop(run);
  });

  test("who goes on talking to a service that has gone hears of it", async () => {
    const run = startCtl(agent, "port-forward", "ctl-forward", ":7004");
    const socket = connect({ port: await localPort(run, 7004), allowHalfOpen: true });
    const failed = failure(socket);
    await once(socket.resume(), "end");
    const talk = setInterval(() => socket.write("is anybody there?"), 20);
    assert.match(String(await failed), /^(ECONNRESET|EPIPE)$/);
    clearInterval(talk);
    await stop(run);
  });

  test("a reader that stalls holds up nobody else", async () => {
    const run = startCtl(agent, "port-forward", "ctl-forward", ":7000", ":7003");
    const stalled = connect({ port: await localPort(run, 7003) });
    stalled.pause();
    await once(stalled, "connect");
    assert.equal(await ask(await localPort(run, 7000), "quick"), "quick");
    stalled.destroy();
    await stop(run);
  });

  test("a port that is taken is an error in words, and nothing is left open", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as AddressInfo;
    const { code, stdout, stderr } = await runCtl(agent, ["port-forward", "ctl-forward", ":7000", `${port}:7001`]);
    taken.close();
    assert.deepEqual([code, stdout.length], [125, 0]);
    assert.match(stderr, new RegExp(`^ctl: Port ${port} of 127\\.0\\.0\\.1 is taken .*:PORT.*\n$`));
  });

  test("ports that are none are mistakes on the command line", async () => {
    for (const port of ["0", "65536", "80 ", "a", "1:2:3", "-1"]) {
      const { code, stderr } = await runCtl(agent, ["port-forward", "ctl-forward", "--", port]);
      assert.equal(code, 2, port);
      assert.match(stderr, /^ctl: .*\n$/);
    }
  });

  test("a container that is not there ends it at once", async () => {
    const { code, stderr } = await runCtl(agent, ["port-forward", "nosuch", ":80"]);
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: .*nosuch.*\n$/);
  });

  test("open connections outlive a cut, and new ones are made after it", async () => {
    await using gate = await Gate.open(agent.url);
    const env = { ...agent.env, FAIRLEAD_SERVER: gate.url, FAIRLEAD_TOKEN: agent.token };
    const run = startCtl({ env }, "port-forward", "ctl-forward", ":7000");
    const socket = connect({ port: await localPort(run, 7000) });
    socket.write("before ");
    await once(socket, "data");
    gate.cut();
    socket.write("meanwhile ");
    gate.mend();
    socket.end("after");
    assert.equal(await text(socket), "meanwhile after");
    assert.equal(await ask(await localPort(run, 7000), "new"), "new");
    await stop(run);
  });

  test("the same local port goes on after the agent was killed and started again", async () => {
    const first = await startAgent({ engine });
    await using gate = await Gate.open(first.url);
    const env = { ...first.env, FAIRLEAD_SERVER: gate.url, FAIRLEAD_TOKEN: first.token };
    const run = startCtl({ env }, "port-forward", "-v", "ctl-forward", ":7000");
    const port = await localPort(run, 7000);
    assert.equal(await ask(port, "one"), "one");
    first.kill("SIGKILL");
    await first.exited;
    const second = await startAgent({ engine, home: first.home });
    gate.lead(second.url);
    await run.says(/the forward has ended/);
    assert.equal(await ask(port, "two"), "two");
    await stop(run);
    await second.stop();
  });

  async function failure(socket: Socket): Promise<string | undefined> {
    const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
    return error.code;
  }

  test("Ctrl-C ends it over there too, and not only when its grace is over", async () => {
    const run = startCtl(agent, "port-forward", "ctl-forward", ":7000");
    assert.equal(await ask(await localPort(run, 7000), "word"), "word");
    await stop(run);
    await carries(agent, 0);
  });
});
