/** What somebody is told whose agent cannot work with its engine. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { until } from "../support/until.ts";
import { runCtl } from "./ctl.ts";

const OLD = { Version: "1.12.6", ApiVersion: "1.24", MinAPIVersion: "1.12" };

suite("ctl and an engine that does not work", () => {
  const oldEngine = createServer((_request, response) => response.end(JSON.stringify(OLD)));
  const agents: TestAgent[] = [];
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "fl-old-"));
    await new Promise<void>((resolve) => oldEngine.listen(join(directory, "old.sock"), resolve));
  });
  after(async () => {
    for (const agent of agents) await agent.stop();
    oldEngine.close();
    await rm(directory, { recursive: true });
  });

  async function agentOn(socket: string): Promise<TestAgent> {
    const agent = await startAgent({ engine: { host: `unix://${join(directory, socket)}` } });
    agents.push(agent);
    return agent;
  }

  /** Each of them, where it asks something of the engine. */
  async function eachSays(agent: TestAgent, words: RegExp): Promise<void> {
    await until("the first answer", async () => !/not answered yet/.test(await (await agent.fetch("/readyz")).text()));
    for (const command of [
      ["ps"],
      ["exec", "web", "true"],
      ["logs", "web"],
      ["inspect", "web"],
      ["top"],
      ["stop", "web"],
    ]) {
      const { code, stderr } = await runCtl(agent, command);
      assert.equal(code, 125, command.join(" "));
      assert.match(stderr, words, command.join(" "));
    }
  }

  test("an API that is too old is told with the versions and the way out", async () => {
    const agent = await agentOn("old.sock");
    await eachSays(
      agent,
      /The engine \(Docker 1\.12\.6\) speaks API 1\.12 to 1\.24; Fairlead .* Update it: .*keeps trying/,
    );
  });

  test("a socket that is not there is told with its path, to those who are signed in alone", async () => {
    const agent = await agentOn("none.sock");
    await eachSays(
      agent,
      /The engine at unix:.*none\.sock does not answer: the socket does not exist.*keeps trying\.\n/,
    );
    const ready = (await (await agent.fetch("/readyz")).json()) as { reason: string };
    assert.match(ready.reason, /none\.sock/);
    for (const path of ["/readyz", "/api/v1/containers", "/api/v1/containers/web", "/metrics"]) {
      const answer = await fetch(agent.url + path);
      assert.doesNotMatch(await answer.text(), /sock/, path);
    }
  });
});
