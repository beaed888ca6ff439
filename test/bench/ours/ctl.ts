/** Our side of every figure: the shipped `ctl`, on an agent that runs for the bench alone. */

import { join } from "node:path";
import { type Agent, startAgent } from "../../support/agent.ts";
import type { Engine } from "../../support/engine.ts";
import { type Cli, type Command, Running } from "../command.ts";
import { ROOT } from "../machine.ts";

export class Ctl implements Cli, AsyncDisposable {
  readonly #agent: Agent;

  private constructor(agent: Agent) {
    this.#agent = agent;
  }

  static async start(engine: Engine): Promise<Ctl> {
    return new Ctl(await startAgent({ engine }));
  }

  command(...args: string[]): Command {
    return { file: join(ROOT, "bin/ctl"), args, env: this.env };
  }

  /** Where the agent is and how to get in, for programs that use the client library. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, ...this.#agent.env };
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
