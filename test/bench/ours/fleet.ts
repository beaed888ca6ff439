/** A server and one host of it, both shipped: what goes through the server can also go directly. */

import { join } from "node:path";
import type { Engine } from "../../support/engine.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";
import { type Cli, type Command, type Running, run } from "../command.ts";
import { ROOT } from "../machine.ts";
import { Ctl, forward } from "./ctl.ts";

const NODE = "box";

/** The same program at either door: one container has one name there. */
export interface Way extends Cli {
  name(container: string): string;
  forward(container: string, ports: ReadonlyMap<number, number>): Promise<Running>;
}

/** Everything is in the clear on loopback: no way has more to encrypt than the other. */
export class Fleet implements AsyncDisposable {
  readonly direct: Way;
  readonly relayed: Way;
  readonly #server: TestServer;
  readonly #agent: Ctl;

  private constructor(server: TestServer, agent: Ctl) {
    this.#server = server;
    this.#agent = agent;
    this.direct = wayOf(agent, (container) => container);
    const env = { ...process.env, FAIRLEAD_SERVER: server.url, FAIRLEAD_TOKEN: server.token };
    const file = join(ROOT, "bin/ctl");
    this.relayed = wayOf({ command: (...args): Command => ({ file, args, env }) }, (name) => `${NODE}:${name}`);
  }

  /** Resolves once a command has come through the server. */
  static async start(engine: Engine): Promise<Fleet> {
    await using stack = new AsyncDisposableStack();
    const server = await startServer({ program: [join(ROOT, "bin/fairlead"), "server"] });
    stack.defer(() => server.stop());
    const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: NODE });
    const fleet = new Fleet(server, await Ctl.start(engine, "-S", server.url, "--token", token));
    stack.use(fleet);
    await until("the host behind its server", () => answers(fleet.relayed));
    stack.move();
    return fleet;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent[Symbol.asyncDispose]();
    await this.#server.stop();
  }
}

function wayOf(ctl: Cli, name: Way["name"]): Way {
  return {
    name,
    command: (...args) => ctl.command(...args),
    forward: (container, ports) => forward(ctl, name(container), ports),
  };
}

async function answers(ctl: Cli): Promise<boolean> {
  try {
    await run(ctl.command("ps", "--node", NODE));
    return true;
  } catch {
    return false;
  }
}
