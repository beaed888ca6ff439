/** A server, agents behind it, and its page signed in, for the tests of a fleet's page. */

import { startAgent, type TestAgent } from "../../support/agent.ts";
import type { Engine } from "../../support/engine.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { type Browser, openBrowser, signIn } from "./browser.ts";
import { type Cable, layCable } from "./cable.ts";

export interface FleetPage extends Browser {
  server: TestServer;
  /** Between browser and server. */
  cable: Cable;
  /** An agent that ends with the page. */
  run(engine: Engine, flags: string[], options?: Joining): Promise<TestAgent>;
  /** Adds a host and starts its agent; resolves once that has connected. */
  join(name: string, engine: Engine, options?: Joining): Promise<TestAgent>;
}

export interface Joining {
  /** Of an earlier agent of this host, to go on with its state. */
  home?: string;
  env?: Record<string, string>;
}

export async function openFleetPage(): Promise<FleetPage> {
  const server = await startServer({ flags: ["--heartbeat-interval", "1s"] });
  const agents: TestAgent[] = [];
  const cable = await layCable(server);
  const browser = await openBrowser();
  await signIn(browser.page, { ...server, url: cable.url });
  const run: FleetPage["run"] = async (engine, flags, options = {}) => {
    const agent = await startAgent({ engine, ...options, flags });
    agents.push(agent);
    return agent;
  };
  const join: FleetPage["join"] = async (name, engine, options = {}) => {
    const token = options.home === undefined ? ["--token", await bootstrapToken(server, name)] : [];
    const agent = await run(engine, ["-S", server.url, "--node-name", name, ...token], options);
    await until(`the connection of ${name}`, () => isConnected(server, name));
    return agent;
  };
  const close = async () => {
    await browser.close();
    cable.close();
    for (const agent of agents.toReversed()) await agent.stop();
    await server.stop();
  };
  return { ...browser, server, cable, run, join, close };
}

async function bootstrapToken(server: TestServer, name: string): Promise<string> {
  return (await server.post<{ token: string }>("/api/v1/nodes", { name })).token;
}

async function isConnected(server: TestServer, name: string): Promise<boolean> {
  const { beat } = await server.json<{ beat?: { gatewayStatus?: string } }>(`/api/v1/nodes/${name}`);
  return beat?.gatewayStatus === "connected";
}
