/** The server, and one host of it, in this process: everything is real but the engine, whose containers a test writes down. */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { SessionsLine } from "../../src/agent/sessions-line.ts";
import { Identity } from "../../src/agent/uplink/identity.ts";
import { Uplink } from "../../src/agent/uplink/uplink.ts";
import { loadConfig } from "../../src/boot/config.ts";
import { StateDirectory } from "../../src/boot/state.ts";
import { Client } from "../../src/client/client.ts";
import { SESSIONS_PATH } from "../../src/protocol/version.ts";
import { serverProgram } from "../../src/server/config.ts";
import { Server } from "../../src/server/server.ts";
import { type Front, startFront } from "./front.ts";
import { inputs } from "../boot/inputs.ts";
import { ADMIN, type DeskOptions } from "./desk.ts";
import { BEAT, FACTS } from "./host.ts";
import { dial, noPasses } from "./relay.ts";
import { until } from "./until.ts";

const VERSION = "1.2.3";
/** For the scripted engine to say what its containers use, in milliseconds. */
const STATS_MS = 2_000;
const log = pino({ level: "silent" });

/** A host's own parts. */
export type Host = Front & {
  /** Hangs up. */
  leave(): Promise<void>;
  /** Calls again. */
  comeBack(): Promise<void>;
};

/** Who calls the server. */
interface Caller {
  name: string;
  /** For the first time. */
  token: string;
  state: StateDirectory;
}

/** What the server is asked. */
export interface Asking {
  method?: string;
  /** The owner's without one. */
  token?: string | undefined;
  body?: object;
}

export class Fleet implements AsyncDisposable {
  readonly server: Server;
  /** Of the machine's owner. */
  readonly token: string;
  readonly #directory: string;
  readonly #undo: (() => Promise<unknown>)[];
  #box: Host | undefined;

  /** The host is called `box`; its sessions come through the server, which may be given more flags. */
  static async start(desk: DeskOptions = {}, flags: readonly string[] = []): Promise<Fleet> {
    const directory = await mkdtemp(join(tmpdir(), "fl-inside-"));
    const argv = ["--listen-address", "127.0.0.1", "--listen-port", "0", "--data-dir", join(directory, "server")];
    const quick = ["--log-max-size", "0", "--heartbeat-interval", "1s"];
    const config = loadConfig(serverProgram(VERSION), inputs({ argv: [...argv, ...quick, ...flags] })).values;
    const server = await Server.start({ config, log, version: VERSION, pid: process.pid });
    const token = (await readFile(join(config.data_dir, "token"), "utf8")).trim();
    const fleet = new Fleet(server, { token, directory });
    fleet.#undo.push(
      () => rm(directory, { recursive: true }),
      () => server.close(),
    );
    fleet.#box = await fleet.addHost("box", desk);
    return fleet;
  }

  private constructor(server: Server, { token, directory }: { token: string; directory: string }) {
    this.server = server;
    this.token = token;
    this.#directory = directory;
    this.#undo = [];
  }

  get url(): string {
    return this.server.url;
  }

  ask(path: string, { method = "GET", token = this.token, body }: Asking = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) };
    return fetch(this.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  }

  /** The JSON of the answer to a POST, which must be a good one. */
  async post<T>(path: string, body?: object): Promise<T> {
    const answer = await this.ask(path, { method: "POST", ...(body && { body }) });
    if (!answer.ok) throw new Error(`${path} answers ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** A client of whoever has this token. */
  client(token: string): Client {
    const port = Number(new URL(this.url).port);
    const way = { path: SESSIONS_PATH, token: `Bearer ${token}` };
    return new Client({ software: "test", dial: (signal) => dial(port, way, signal) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const undo of this.#undo.toReversed()) await undo();
  }

  /** The one that is there from the beginning. */
  get box(): Host {
    if (!this.#box) throw new Error("the host is not there yet");
    return this.#box;
  }

  /** One more host; resolves once it is connected. */
  async addHost(name: string, desk: DeskOptions): Promise<Host> {
    const state = await StateDirectory.open(join(this.#directory, name));
    const { token } = await this.post<{ token: string }>("/api/v1/nodes", { name });
    const front = await startFront({ desk });
    this.#undo.push(() => front[Symbol.asyncDispose]());
    const call = () => this.#call(front, { name, token, state });
    let leave = await call();
    this.#undo.push(() => leave());
    const comeBack = async () => {
      leave = await call();
    };
    return Object.assign(front, { comeBack, leave: () => leave() });
  }

  /** Resolves once the host is connected, with what hangs up. */
  async #call(front: Front, { name, token, state }: Caller): Promise<() => Promise<void>> {
    const { sessions, budget } = front.desk;
    const uplink = new Uplink({
      url: this.url,
      identity: await Identity.open(state),
      path: state.path,
      contained: false,
      log,
      token: async () => token,
      facts: async () => FACTS,
      engine: () => BEAT,
      containers: () => front.desk.stats.once({ grant: ADMIN }, AbortSignal.timeout(STATS_MS)),
      door: async () => undefined,
      settled: () => line.start(),
    });
    const passes = noPasses(sessions);
    const line = new SessionsLine(uplink, {
      sessions,
      passes,
      gateway: front.gateway,
      budget,
      software: "test",
      log,
      connected: () => uplink.hasten(),
    });
    uplink.start(front.url);
    await until("the host's line", async () => (await this.ask(`/api/v1/nodes/${name}/version`)).ok);
    return async () => {
      await uplink.close();
      await line.close();
    };
  }
}
