/** What a fault is played out on: the real agent on a real engine, clients by any route, and the states that tests wait for. */

import { Client, type ClientOptions } from "../../src/client/client.ts";
import { dialler } from "../../src/ctl/connection/dial.ts";
import { Secret } from "../../src/lib/secret.ts";
import type { TestAgent } from "../support/agent.ts";
import { until } from "../support/until.ts";

/** Milliseconds, where somebody has to be silent for long before anything happens. */
const SILENCE_MS = 45_000;

export interface Route {
  /** Another port than the agent's own: a proxy's. */
  port?: number;
  onState?: ClientOptions["onState"];
}

/** A client of the library, dialled as `ctl` dials. */
export function connectTo({ url, token }: Pick<TestAgent, "url" | "token">, route: Route = {}): Client {
  const address = new URL(url);
  if (route.port) address.port = String(route.port);
  const server = { url: address, token: new Secret(token), urlFrom: "the test", tokenFrom: "the test" };
  const { onState } = route;
  return new Client({ software: "fairlead-test", dial: dialler(server), ...(onState && { onState }) });
}

export function portOf({ url }: Pick<TestAgent, "url">): number {
  return Number(new URL(url).port);
}

/** The sum of a metric over its labels, as a monitor would read it. */
export async function metric(agent: TestAgent, name: string): Promise<number> {
  const answer = await agent.fetch("/metrics");
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  const values = (await answer.text()).matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "gm"));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Resolves when the agent carries exactly so many sessions, and with none holds no memory for them either. */
export async function carries(agent: TestAgent, sessions: number): Promise<void> {
  await until(`carrying ${sessions} sessions`, async () => (await metric(agent, "fairlead_sessions")) === sessions);
  if (sessions === 0)
    await until("giving the replay's memory back", async () => {
      return (await metric(agent, "fairlead_replay_budget_used_bytes")) === 0;
    });
}

/** Resolves when `/readyz` answers so. An engine that hangs is found out by silence, which takes a while. */
export async function readiness(agent: TestAgent, ready: boolean): Promise<void> {
  const status = ready ? 200 : 503;
  await until(`/readyz answering ${status}`, async () => (await agent.fetch("/readyz")).status === status, {
    patience: SILENCE_MS,
  });
}
