/** What most faults are played out on: an agent on the shared engine, a neighbour's session, and a look after each test that nothing is left. */

import { after, afterEach, before } from "node:test";
import type { Client } from "../../src/client/client.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import type { RunOptions } from "../support/docker-client.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { Neighbour } from "./neighbour.ts";
import { carries, connectTo, readiness } from "./stage.ts";

export interface SceneOptions {
  /** Of the neighbour's container. */
  neighbour: string;
  /** More containers, by name. */
  containers?: Record<string, RunOptions>;
  /** Done to the containers before the agent starts: hooks of a file do not wait for each other. */
  prepare?: (engine: Engine) => Promise<unknown>;
  /** Of the agent. */
  flags?: string[];
  env?: Record<string, string>;
}

interface Parts {
  engine: Engine;
  agent: TestAgent;
  neighbour: Neighbour;
  client: Client;
}

export class Scene {
  readonly #options: SceneOptions;
  #parts: Parts | undefined;

  /** For all tests of the file that calls it. */
  static forThisFile(options: SceneOptions): Scene {
    const scene = new Scene(options);
    before(() => scene.#open());
    afterEach(() => scene.undisturbed());
    after(() => scene.#close());
    return scene;
  }

  private constructor(options: SceneOptions) {
    this.#options = options;
  }

  get engine(): Engine {
    return this.#ready.engine;
  }

  get agent(): TestAgent {
    return this.#ready.agent;
  }

  get neighbour(): Neighbour {
    return this.#ready.neighbour;
  }

  /** A client of the agent's. */
  get client(): Client {
    return this.#ready.client;
  }

  /** The neighbour's bytes are right, and nothing but its session is left. */
  async undisturbed(): Promise<void> {
    await this.neighbour.pulse();
    await carries(this.agent, 1);
  }

  get #ready(): Parts {
    if (!this.#parts) throw new Error("the scene is not open");
    return this.#parts;
  }

  async #open(): Promise<void> {
    const { neighbour, containers = {}, prepare, flags = [], env = {} } = this.#options;
    const engine = await sharedEngine();
    await engine.run(neighbour);
    for (const [name, run] of Object.entries(containers)) await engine.run(name, run);
    await prepare?.(engine);
    const agent = await startAgent({ engine, flags, env });
    await readiness(agent, true);
    const client = connectTo(agent);
    this.#parts = { engine, agent, client, neighbour: await Neighbour.start(agent, neighbour) };
  }

  async #close(): Promise<void> {
    const { neighbour, containers = {} } = this.#options;
    await this.#parts?.client.close();
    await this.#parts?.neighbour.close();
    await this.#parts?.agent.stop();
    await (await sharedEngine()).docker("rm", "--force", neighbour, ...Object.keys(containers));
  }
}
