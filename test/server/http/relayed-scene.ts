/** A server with the HTTP side of one host behind it, `box`, whatever answers there. */

import { Registry } from "prom-client";
import { Credentials } from "../../../src/auth/credentials.ts";
import { createFront, type Front } from "../../../src/door/front.ts";
import { asFairleadError } from "../../../src/door/problems.ts";
import type { Grant } from "../../../src/protocol/rights.ts";
import { addRelayed } from "../../../src/server/http/routes/relayed.ts";
import { CONFIG, startFront } from "../../support/front.ts";
import type { RelayedParts } from "../../../src/agent/session/relayed.ts";
import type { DeskOptions } from "../../support/desk.ts";
import { RelayRig } from "../../support/relay.ts";
import { until } from "../../support/until.ts";

type AgentFront = Awaited<ReturnType<typeof startFront>>;

export interface RelayedSceneOptions {
  tokens: { token: string; grant: Grant }[];
  desk: DeskOptions;
  serveHttp: (agent: AgentFront) => RelayedParts["serveHttp"];
}

export class RelayedScene implements AsyncDisposable {
  readonly url: string;
  readonly agent: AgentFront;
  readonly #rig: RelayRig;
  readonly #server: Front;
  readonly #credentials: Credentials;

  static async open({ tokens, desk, serveHttp }: RelayedSceneOptions): Promise<RelayedScene> {
    const rig = await RelayRig.start();
    const agent = await startFront({ desk });
    const { sessions, budget } = agent.desk;
    const line = rig.connect("box", { sessions, budget, serveHttp: serveHttp(agent) });
    const credentials = new Credentials({ tokens });
    const server = await createFront({
      config: CONFIG,
      credentials,
      metrics: new Registry(),
      log: { debug() {}, info() {}, warn() {}, error: console.error },
      isReady: () => true,
      understand: asFairleadError,
      furnish: async (app) => addRelayed(app, { relay: rig.relay }),
    });
    const { url } = await server.listen();
    await until("the agent's connection", () => line.isConnected());
    return new RelayedScene({ url, rig, agent, server, credentials });
  }

  private constructor(parts: {
    url: string;
    rig: RelayRig;
    agent: AgentFront;
    server: Front;
    credentials: Credentials;
  }) {
    this.url = parts.url;
    this.#rig = parts.rig;
    this.agent = parts.agent;
    this.#server = parts.server;
    this.#credentials = parts.credentials;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.close();
    this.#credentials.close();
    await this.#rig[Symbol.asyncDispose]();
    await this.agent[Symbol.asyncDispose]();
  }
}
