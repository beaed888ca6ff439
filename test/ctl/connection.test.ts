import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { auditOf } from "../support/audit.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { type Ended, runCtl } from "./ctl.ts";

suite("where ctl finds the server", () => {
  let engine: Engine;
  let agent: TestAgent;
  /** Somewhere else than on the agent's machine. */
  let away: { env: Record<string, string> };
  let home: string;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    home = await mkdtemp(join(tmpdir(), "fl-ctl-"));
    away = { env: { HOME: home, XDG_STATE_HOME: "", XDG_CONFIG_HOME: "" } };
  });
  after(async () => {
    await agent.stop();
    await rm(home, { recursive: true });
  });

  const env = (more: Record<string, string>) => ({ env: { ...away.env, ...more } });
  const ps = (where: { env: Record<string, string> }, ...args: string[]): Promise<Ended> =>
    runCtl(where, ["ps", "-o", "name", ...args]);

  async function settings(text: string, mode = 0o600): Promise<string> {
    const path = join(home, ".config/fairlead/ctl.yaml");
    await mkdir(join(home, ".config/fairlead"), { recursive: true });
    await writeFile(path, text);
    await chmod(path, mode);
    return path;
  }

  async function tokenFile(mode: number): Promise<string> {
    const path = join(home, "token");
    await writeFile(path, `${agent.token}\n`);
    await chmod(path, mode);
    return path;
  }

  test("on the agent's own machine nothing is set up, also when --server names that agent", async () => {
    assert.equal((await ps(agent)).code, 0);
    const { port } = new URL(agent.url);
    for (const server of [agent.url, `127.0.0.1:${port}`, `http://localhost:${port}/`])
      assert.equal((await ps(agent, "--server", server)).code, 0, server);
  });

  test("without an agent and a server it says what to do", async () => {
    const { code, stderr } = await ps(away);
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: No agent .*--server.*\n$/);
  });

  test("flags and variables name server and token", async () => {
    assert.equal((await ps(away, "--server", agent.url, "--token", agent.token)).code, 0);
    assert.equal((await ps(env({ FAIRLEAD_SERVER: agent.url, FAIRLEAD_TOKEN: agent.token }))).code, 0);
    const path = await tokenFile(0o600);
    assert.equal((await ps(away, "--server", agent.url, "--token-file", path)).code, 0);
    assert.equal((await ps(env({ FAIRLEAD_SERVER: agent.url, FAIRLEAD_TOKEN_FILE: path }))).code, 0);
  });

  test("a flag wins over a variable", async () => {
    const wrong = env({ FAIRLEAD_SERVER: "http://127.0.0.1:1", FAIRLEAD_TOKEN: "x".repeat(40) });
    assert.equal((await ps(wrong, "--server", agent.url, "--token", agent.token)).code, 0);
  });

  test("ctl.yaml names them for good", async () => {
    await settings(`server: ${agent.url}\ntoken: ${agent.token}\n`);
    assert.equal((await ps(away)).code, 0);
    await tokenFile(0o600);
    await settings(`server: ${agent.url}\ntoken_file: ../../token\n`, 0o644);
    assert.equal((await ps(away)).code, 0);
    await rm(join(home, ".config"), { recursive: true });
  });

  test("a token that others can read is refused with the command that mends it", async () => {
    const path = await tokenFile(0o644);
    const file = await ps(away, "--server", agent.url, "--token-file", path);
    assert.equal(file.code, 125);
    assert.match(file.stderr, new RegExp(`^ctl: ${path} can be read .*chmod 600 ${path}\n$`));
    const yaml = await settings(`server: ${agent.url}\ntoken: ${agent.token}\n`, 0o640);
    const inYaml = await ps(away);
    assert.equal(inYaml.code, 125);
    assert.match(inYaml.stderr, new RegExp(`^ctl: ${yaml} holds a token .*chmod 600 ${yaml}\n$`));
    await rm(join(home, ".config"), { recursive: true });
  });

  test("an unknown key in ctl.yaml is an error", async () => {
    await settings("sever: http://localhost\n");
    const { code, stderr } = await ps(away);
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: .*ctl\.yaml cannot be understood: .*sever.*\n$/);
    await rm(join(home, ".config"), { recursive: true });
  });

  test("a token kept for one server is not sent to another", async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end("{}");
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    await settings(`server: ${agent.url}\ntoken: ${agent.token}\n`);
    const results = [await ps(away, "--server", url), await ps(agent, "--server", url)];
    other.close();
    await rm(join(home, ".config"), { recursive: true });
    for (const { code, stderr } of results) {
      assert.equal(code, 125);
      assert.match(stderr, /^ctl: There is no token for .*\n$/);
    }
    assert.deepEqual(seen, []);
  });

  test("a wrong token is told with where it came from", async () => {
    const wrong = ["--server", agent.url, "--token", "x".repeat(43)];
    for (const command of [["ps"], ["exec", "x", "true"]]) {
      const { code, stderr } = await runCtl(away, [...command.slice(0, 1), ...wrong, ...command.slice(1)]);
      assert.equal(code, 125);
      assert.match(stderr, /^ctl: .* The token used came from --token\.\n$/);
    }
  });

  test("with -v an error has the id by which the agent's log or audit knows the request", async () => {
    for (const command of [
      ["inspect", "no-such"],
      ["exec", "no-such", "true"],
    ]) {
      const { code, stderr } = await runCtl(agent, ["-v", ...command]);
      assert.equal(code, 125);
      const [, id = ""] = /request ([0-9a-f]{16}): the log and the audit/.exec(stderr) ?? [stderr];
      const known = async () =>
        agent.log().includes(`"request":"${id}"`) || (await auditOf(agent)).some(({ request }) => request === id);
      await until(`what is known of ${command.join(" ")}: ${id}`, known);
    }
  });

  test("plain http to another machine is refused", async () => {
    const { code, stderr } = await ps(away, "--server", "http://192.0.2.1:9090", "--token", "x");
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: .*not encrypted.*--insecure-plaintext.*\n$/);
  });

  test("an address that is none is a mistake on the command line", async () => {
    for (const server of ["ftp://x", "http://", "http://a:b@localhost"])
      assert.equal((await ps(away, "--server", server, "--token", "x")).code, 2, server);
  });

  test("an agent that has gone is told with where its address came from", async () => {
    const gone = await startAgent({ engine });
    gone.kill("SIGKILL");
    await gone.exited;
    for (const args of [["ps"], ["exec", "x", "true"]]) {
      const { code, stderr } = await runCtl(gone, args);
      assert.equal(code, 125);
      assert.match(stderr, /^ctl: Nothing listens at http.*agent\.json.*npm start.*\n$/);
    }
    await gone.stop();
  });

  test("a server that is no agent is recognised", async () => {
    const other = createServer((_request, response) => response.writeHead(404).end("nothing")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    for (const command of [["ps"], ["exec", "x", "true"]]) {
      const args = [...command.slice(0, 1), "--server", url, "--token", "x", ...command.slice(1)];
      const { code, stderr } = await runCtl(away, args);
      assert.equal(code, 125);
      assert.match(stderr, /^ctl: .* does not seem to be a Fairlead agent.*\n$/);
    }
    other.close();
  });
});
