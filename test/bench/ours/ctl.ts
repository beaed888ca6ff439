/** Our side of every figure: the shipped `ctl`, on a shipped agent that runs for the bench alone. */

import { readFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import { startAgent, type TestAgent } from "../../support/agent.ts";
import type { Engine } from "../../support/engine.ts";
import { until } from "../../support/until.ts";
import { type Cli, type Command, Running } from "../command.ts";
import { ROOT } from "../machine.ts";
import type { Place } from "../probes/requests.ts";
import { TUNING } from "../tuning.ts";

const PROGRAM = [join(ROOT, "bin/fairlead"), "agent"] as const;

export class Ctl implements Cli, AsyncDisposable {
  readonly #agent: TestAgent;
  readonly #env: Record<string, string>;

  private constructor(agent: TestAgent, env: Record<string, string> = {}) {
    this.#agent = agent;
    this.#env = { ...agent.env, ...env };
  }

  /** With more flags for the agent, if there are any. */
  static async start(engine: Engine, ...flags: string[]): Promise<Ctl> {
    return new Ctl(await startAgent({ engine, flags, program: PROGRAM }));
  }

  /** Whoever gives a pin is shown a key, and so never takes this machine's own way in. */
  static async startSecure(engine: Engine): Promise<Ctl> {
    const agent = await startAgent({ engine, program: PROGRAM, flags: ["--tls", "self-signed"] });
    const { pin } = JSON.parse(await readFile(join(agent.stateDir, "agent.json"), "utf8")) as { pin: string };
    return new Ctl(agent, { FAIRLEAD_PIN: pin });
  }

  /** It finds the agent by itself, as on any machine that runs one. */
  command(...args: string[]): Command {
    return { file: join(ROOT, "bin/ctl"), args, env: { ...process.env, ...this.#env } };
  }

  /** A program of this folder that uses the client library, under what bin/lib/launch.sh gives to commands that move bulk. */
  program(name: string, ...args: string[]): Command {
    const { url, token } = this.#agent;
    const env = { ...process.env, FAIRLEAD_SERVER: url, FAIRLEAD_TOKEN: token };
    return { file: process.execPath, args: [...TUNING, join(import.meta.dirname, name), ...args], env };
  }

  /** A container's page, opened: where and with what it is asked for. */
  async page(container: string, port: number): Promise<Place> {
    const { url, token } = this.#agent;
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const asked = { method: "POST", headers, body: JSON.stringify({ port }) };
    const answer = await until("the container to be known", async () => {
      const told = await fetch(new URL(`/api/v1/containers/${container}/open`, url), asked);
      return told.ok && told;
    });
    const link = new URL(((await answer.json()) as { url: string }).url);
    const place = { port: Number(link.port), host: link.host };
    const cookie = await new Promise<string>((resolve, reject) => {
      const where = {
        host: "127.0.0.1",
        port: place.port,
        path: link.pathname + link.search,
        headers: { host: link.host },
      };
      get(where, ({ headers: told }) => resolve(told["set-cookie"]?.[0]?.split(";")[0] ?? "")).on("error", reject);
    });
    return { ...place, headers: `Cookie: ${cookie}\r\n` };
  }

  /** Live sessions on the agent. */
  async sessions(): Promise<number> {
    const { url, token } = this.#agent;
    const answer = await fetch(new URL("/metrics", url), { headers: { authorization: `Bearer ${token}` } });
    const counts = (await answer.text()).matchAll(/^fairlead_sessions\{.*\} (\d+)$/gm);
    return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  get agentPid(): number {
    return this.#agent.pid;
  }

  forward(container: string, ports: ReadonlyMap<number, number>): Promise<Running> {
    return forward(this, container, ports);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.stop();
  }
}

/** Forwards these local ports to this container with `ctl`. Resolves once all are open. */
export async function forward(ctl: Cli, container: string, ports: ReadonlyMap<number, number>): Promise<Running> {
  const pairs = [...ports].map(([local, remote]) => `${local}:${remote}`);
  const running = new Running(ctl.command("port-forward", container, ...pairs));
  await running.ready(...[...ports.keys()].map((local) => new RegExp(`:${local}\\b`)));
  return running;
}
