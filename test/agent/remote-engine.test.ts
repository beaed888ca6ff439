/** The agent on one machine and the engine on another: TCP with mutual TLS, and nothing to see of the engine's processes. */

import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runCtl, startCtl } from "../ctl/ctl.ts";
import { until } from "../support/until.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { startTlsEngine, type TlsEngine } from "../support/tls-engine.ts";

const CONTAINER = "remote-engine";
const MAIN = fileURLToPath(new URL("../../src/agent/main.ts", import.meta.url));
/** Becomes the program given, with what would prove that this process is a container's hidden from it. */
const HIDE = `mount --bind /dev/null "/proc/$0/cgroup" && exec "$@"`;

suite("an agent whose engine is on another machine", () => {
  let secure: TlsEngine;
  let agent: TestAgent;

  before(async () => {
    secure = await startTlsEngine();
    await secure.engine.run(CONTAINER, {
      command: ["sh", "-c", "echo started; mkdir w; echo page >w/index.html; httpd -f -p 80 -h w"],
    });
    const pid = await secure.engine.docker("inspect", "--format", "{{.State.Pid}}", CONTAINER);
    agent = await startAgent({
      engine: { host: secure.tcp },
      flags: ["--shutdown-grace", "0s"],
      env: { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: secure.clientDirectory },
      program: ["unshare", "--mount", "sh", "-c", HIDE, pid, process.execPath, MAIN],
    });
    await until("the engine's first list", async () => (await agent.fetch("/readyz")).ok);
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
      return !left.includes("4711");
    });
  });

  test("says why a port cannot be forwarded, and dials nobody else instead", async () => {
    const forward = startCtl(agent, "port-forward", CONTAINER, ":80");
    const [, port] = await forward.says(/127\.0\.0\.1:(\d+)/);
    await assert.rejects(fetch(`http://127.0.0.1:${port}/`));
    await forward.says(/Nothing shows that the engine at tcp:.* is on this machine, .* run an agent on its machine/);
    forward.child.kill("SIGINT");
    await forward.ended;
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

  test("does not start without the certificates, or with some that the engine refuses, and says which setting to mend", async () => {
    const engine = { host: secure.tcp };
    const nowhere = startAgent({ engine, flags: ["--docker-cert-path", "/nowhere"] });
    await assert.rejects(nowhere, /cannot start: docker_cert_path: \/nowhere\/ca\.pem cannot be read/);
    const plain = startAgent({ engine, flags: ["--require-runtime"] });
    await assert.rejects(plain, /cannot start: The engine wants TLS; set docker_cert_path/);
  });
});
