/** The agent on one machine and the engine on another: TCP with mutual TLS, and nothing to see of the engine's processes. */

import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCtl, startCtl } from "../ctl/ctl.ts";
import { importGuestImage } from "../support/guest-image.ts";
import { until } from "../support/until.ts";
import { converse, requestText } from "../support/front.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { startTlsEngine, type TlsEngine } from "../support/tls-engine.ts";

const CONTAINER = "remote-engine";
const MAIN = fileURLToPath(new URL("../../src/agent/main.ts", import.meta.url));
/** Becomes the program given, with what would prove that this process is a container's hidden from it. */
const HIDE = `mount --bind /dev/null "/proc/$0/cgroup" && exec "$@"`;
const PAGE = "page\n";

suite("an agent whose engine is on another machine", () => {
  let secure: TlsEngine;
  let agent: TestAgent;
  /** An agent that does not see the engine's processes. */
  const start = async (...flags: string[]) => {
    const pid = await secure.engine.docker("inspect", "--format", "{{.State.Pid}}", CONTAINER);
    const started = await startAgent({
      engine: { host: secure.tcp },
      flags: ["--shutdown-grace", "0s", ...flags],
      env: { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: secure.clientDirectory },
      program: ["unshare", "--mount", "sh", "-c", HIDE, pid, process.execPath, MAIN],
    });
    await until("the engine's first list", async () => (await started.fetch("/readyz")).ok);
    return started;
  };

  before(async () => {
    secure = await startTlsEngine();
    await secure.engine.run(CONTAINER, {
      command: ["sh", "-c", "echo started; mkdir w; echo page >w/index.html; httpd -f -p 127.0.0.1:80 -h w"],
    });
    agent = await start("--helper-image", await importGuestImage(secure.engine));
  });

  after(async () => {
    await agent?.stop();
    await secure?.close();
  });

  test("lists, shows logs and runs commands with exit codes", async () => {
    const { stdout } = await runCtl(agent, ["ps", "-o", "name"]);
    assert.equal(stdout.toString(), `${CONTAINER}\n`);
    assert.equal((await runCtl(agent, ["logs", CONTAINER])).stdout.toString(), "started\n");
    const said = await runCtl(agent, ["exec", "-i", CONTAINER, "sh", "-c", "wc -c; exit 7"], Buffer.alloc(2_000_000));
    assert.deepEqual([said.stdout.toString(), said.code], ["2000000\n", 7]);
  });

  test("ends what a command started when its client goes", async () => {
    const run = startCtl(agent, "exec", CONTAINER, "sh", "-c", "sleep 4711 & echo ready; wait");
    await run.says(/ready/);
    run.child.kill("SIGTERM");
    await run.ended;
    await until("the processes being gone", async () => {
      const left = await secure.engine.docker("top", CONTAINER, "-o", "pid,args");
      return !left.includes("sleep 4711");
    });
  });

  test("forwards a port that listens on the container's loopback only", async () => {
    const forward = startCtl(agent, "port-forward", CONTAINER, ":80");
    const [, port] = await forward.says(/127\.0\.0\.1:(\d+)/);
    for (let round = 0; round < 3; round++) assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), PAGE);
    forward.child.kill("SIGINT");
    await forward.ended;
    assert.equal((await runCtl(agent, ["ps", "-o", "name"])).stdout.toString(), `${CONTAINER}\n`);
  });

  test("shows its page", async () => {
    const { stdout } = await runCtl(agent, ["open", CONTAINER, "80", "--no-browser"]);
    const { host, port, pathname, search } = new URL(stdout.toString());
    const entry = await converse(Number(port), requestText(host, { path: pathname + search }));
    const headers = [`Cookie: ${(entry.headers["set-cookie"] ?? "").split(";", 1)[0]}`];
    const page = await converse(Number(port), requestText(host, { path: "/", headers }));
    assert.deepEqual([page.status, page.body], [200, PAGE]);
  });

  test("without an image for helper containers says how its ports would be reached, and dials nobody else instead", async () => {
    const plain = await start();
    const forward = startCtl(plain, "port-forward", CONTAINER, ":80");
    const [, port] = await forward.says(/127\.0\.0\.1:(\d+)/);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    await forward.says(/for which helper_image has to name Fairlead's image on that engine/);
    forward.child.kill("SIGINT");
    await forward.ended;
    await plain.stop();
  });

  test("finds its certificates where Docker's own client would", async () => {
    const home = await mkdtemp(join(tmpdir(), "fl-docker-home-"));
    await cp(secure.clientDirectory, join(home, ".docker"), { recursive: true });
    const flags = ["--docker-tls-verify", "--require-runtime"];
    const second = await startAgent({ engine: { host: secure.tcp }, flags, home });
    assert.equal((await runCtl(second, ["ps", "-o", "name"])).stdout.toString(), `${CONTAINER}\n`);
    await second.stop();
    await rm(home, { recursive: true, force: true });
  });

  test("is warned of where it is reached without TLS", async () => {
    const open = await startAgent({ engine: { host: "tcp://192.0.2.1:2375" } });
    assert.match(open.log(), /the engine is reached without TLS/);
    await open.stop();
    assert.ok(!agent.log().includes("without TLS"));
  });

  test("does not start without the certificates, or with some that the engine refuses, and says which setting to mend", async () => {
    const engine = { host: secure.tcp };
    const nowhere = startAgent({ engine, flags: ["--docker-cert-path", "/nowhere"] });
    await assert.rejects(nowhere, /cannot start: docker_cert_path: \/nowhere\/ca\.pem cannot be read/);
    const plain = startAgent({ engine, flags: ["--require-runtime"] });
    await assert.rejects(plain, /cannot start: The engine wants TLS; set docker_cert_path/);
  });
});
