import assert from "node:assert/strict";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { outsideAddress } from "../support/outside.ts";
import { until } from "../support/until.ts";
import { converse, requestText } from "../support/front.ts";
import { type Home, runCtl, startCtl } from "./ctl.ts";

const NAME = "ctl_Open.page";
const PAGE = "hello from the container\n";

suite("ctl open", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine, flags: ["--listen-address", "0.0.0.0"] });
    const serve = `mkdir /www && printf '${PAGE}' > /www/index.html && exec httpd -f -p 127.0.0.1:80 -h /www`;
    await engine.run(NAME, { args: ["--expose", "80"], command: ["sh", "-c", serve] });
  });
  after(async () => {
    await agent?.stop();
    await engine?.docker("rm", "--force", NAME).catch(() => {});
  });

  /** What stands for a browser: it writes down where it was sent. */
  async function browser(): Promise<{ env: Home["env"]; visited: () => Promise<string> }> {
    const [script, note] = [join(agent.home, "browser"), join(agent.home, "visited")];
    await writeFile(script, `#!/bin/sh\nprintf %s "$2" > ${note}.new && mv ${note}.new ${note}\n`);
    await chmod(script, 0o700);
    const visited = () => until("a visit", () => readFile(note, "utf8").catch(() => undefined));
    return { env: { ...agent.env, BROWSER: `${script} --new %s:other` }, visited };
  }

  test("opens an address that works once, on an origin of the container's own, and prints it", async () => {
    const { env, visited } = await browser();
    const { code, stdout, stderr } = await runCtl({ env }, ["open", NAME]);
    assert.deepEqual([code, stderr], [0, ""]);
    const address = stdout.toString().trim();
    assert.equal(await visited(), address);
    assert.match(address, /^https:\/\/ctl-open-page-80-[0-9a-f]{24}\.localhost:\d+\/\.fairlead\/open\?code=[\w-]{43}$/);
  });

  test("prints it alone with --no-browser", async () => {
    const { code, stdout } = await runCtl(agent, ["open", NAME, "80", "--no-browser"]);
    assert.deepEqual([code, stdout.toString().split("\n").length], [0, 2]);
  });

  test("says so where no browser can be started", async () => {
    const env = { ...agent.env, BROWSER: "/nowhere/browser" };
    const { code, stderr } = await runCtl({ env }, ["open", NAME, "80"]);
    assert.equal(code, 0);
    assert.match(stderr, /^ctl: No browser could be started here; open the address yourself/);
  });

  test("forwards a local port where the agent is elsewhere and has no address for pages", async () => {
    const { env, visited } = await browser();
    const [, pin = ""] = /--pin (\S+)/.exec(agent.welcome) ?? [];
    const server = `https://${outsideAddress()}:${new URL(agent.url).port}`;
    const token = join(agent.stateDir, "token");
    const run = startCtl({ env }, "open", NAME, "80", "--server", server, "--pin", pin, "--token-file", token);
    const [, port] = await run.says(/http:\/\/127\.0\.0\.1:(\d+)\/\n/);
    await until("the visit", async () => (await visited()) === `http://127.0.0.1:${port}/`);
    const answer = await converse(Number(port), requestText(`127.0.0.1:${port}`, {}));
    assert.deepEqual([answer.status, answer.body], [200, PAGE]);
    run.child.kill("SIGINT");
    const { code, stderr } = await run.ended;
    assert.equal(code, 130);
    assert.match(stderr, /A local port leads to the container.s page, until Ctrl-C/);
  });

  test("has words for a port that is none, or not named, and for a container that is not there", async () => {
    const wrong: [string[], number, RegExp][] = [
      [["open", NAME, "0"], 2, /Ports are whole numbers/],
      [["open", NAME, "http"], 2, /Ports are whole numbers/],
      [["open", "nothing", "80"], 125, /No container "nothing"/],
    ];
    for (const [args, exit, words] of wrong) {
      const { code, stderr } = await runCtl(agent, args);
      assert.equal(code, exit, stderr);
      assert.match(stderr, words);
    }
  });
});
