/** An engine, an agent and a signed-in page, for the tests of the page. */

import { startAgent, type TestAgent } from "../../support/agent.ts";
import { type Engine, sharedEngine } from "../../support/engine.ts";
import { type Browser, openBrowser, signIn } from "./browser.ts";

export interface Setup extends Browser {
  engine: Engine;
  agent: TestAgent;
}

/** Containers are there before the agent is. What they are called begins with `page-`, so that no other test has the name. */
export async function openPage(
  prepare: (engine: Engine) => Promise<void>,
  env: Record<string, string> = {},
): Promise<Setup> {
  const engine = await sharedEngine();
  await prepare(engine);
  const agent = await startAgent({ engine, env });
  const browser = await openBrowser();
  await signIn(browser.page, agent);
  const close = async () => {
    await browser.close();
    await agent.stop();
  };
  return { ...browser, engine, agent, close };
}

/** Also those that a failed test left out. */
export async function removeContainers(engine: Engine | undefined, names: readonly string[]): Promise<void> {
  await engine?.docker("rm", "--force", ...names).catch(() => {});
}
