/** Our side of every figure: the shipped `ctl`, on a shipped agent that runs for the bench alone. */

import { join } from "node:path";
import { startAgent, type TestAgent } from "../../support/agent.ts";
import type { Engine } from "../../support/engine.ts";
import { type Cli, type Command, Running } from "../command.ts";
import { ROOT } from "../machine.ts";

export class Ctl implements Cli, AsyncDisposable {
  readonly #agent: TestAgent;

  private constructor(agent: TestAgent) {
    this.#agent = agent;
  }

  static async start(engine: Engine): Promise<Ctl> {
    return new Ctl(await startAgent({ engine, program: [join(ROOT, "bin/fairlead"), "agent"] }));
  }

  /** It finds the agent by itself, as on any machine that runs one. */
  command(...args: string[]): Command {
    return { file: join(ROOT, "bin/ctl"), args, env: { ...process.env, ...this.#agent.env } };
  }

  /** A program of this folder that uses the client library. */
  program(name: string, ...args: string[]): Command {
    const { url, token } = this.#agent;
    const env = { ...process.env, FAIRLEAD_SERVER: url, FAIRLEAD_TOKEN: token };
    return { file: process.execPath, args: [join(import.meta.dirname, name), ...args], env };
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

  /** Forwards these local ports to this container. Resolves once all are open. */
  async forward(container: string, ports: ReadonlyMap<number, number>): Promise<Running> {
    const pairs = [...ports].map(([local, remote]) => `${local}:${remote}`);
    const forward = new Running(this.command("port-forward", container, ...pairs));
    await forward.ready(...[...ports.keys()].map((local) => new RegExp(`:${local}\\b`)));
    return forward;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.stop();
  }
}
