/** A container whose port leads to a server of the test's own, and a browser of few words that has opened it. */

import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { RuntimeError } from "../../../src/agent/runtime/runtime.ts";
import type { AppLimits } from "../../../src/door/apps/desk.ts";
import type { DeskOptions } from "../../support/desk.ts";
import { until } from "../../support/until.ts";
import {
  type Asking,
  bearer,
  converse,
  type Front,
  type FrontOptions,
  json,
  requestText,
  startFront,
} from "./front.ts";

/** Where the app listens in its container. */
export const APP_PORT = 8080;

export interface ProxiedOptions {
  limits?: Partial<AppLimits>;
  desk?: DeskOptions;
  config?: FrontOptions["config"];
  tokens?: FrontOptions["tokens"];
}

export class Proxied {
  readonly front: Front;
  /** Connections that came in to the app, also those that are closed. */
  readonly inside: Socket[];
  /** What came in on all of them. */
  readonly #said: Buffer[];
  readonly #server: Server;
  /** The agent's ends of these. */
  readonly dialled: Socket[];

  /** `app` answers HTTP, or does what it wants with a connection. */
  static async open(app: RequestListener | { raw: (socket: Socket) => void }, options: ProxiedOptions = {}) {
    const server = "raw" in app ? createServer({ noDelay: true }, app.raw) : createHttp(app);
    const inside: Socket[] = [];
    const said: Buffer[] = [];
    server.on("connection", (socket: Socket) => {
      inside.push(socket.on("error", () => {}));
      if ("raw" in app) socket.on("data", (bytes) => said.push(bytes));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const dialled: Socket[] = [];
    const dial = (wanted: number) => {
      if (wanted !== APP_PORT) throw new RuntimeError("dial-refused", `Nothing listens on port ${wanted}.`);
      const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
      dialled.push(socket);
      return socket;
    };
    const front = await startFront({
      desk: { dial, ...options.desk },
      config: { ...options.config, ...(options.limits && { appLimits: options.limits }) },
      ...(options.tokens && { tokens: options.tokens }),
    });
    return new Proxied({ front, server, inside, said, dialled });
  }

  private constructor(parts: {
    front: Front;
    server: Server;
    inside: Socket[];
    said: Buffer[];
    dialled: Socket[];
  }) {
    this.front = parts.front;
    this.inside = parts.inside;
    this.#server = parts.server;
    this.#said = parts.said;
    this.dialled = parts.dialled;
  }

  /** Every byte that reached a raw app. */
  get said(): string {
    return Buffer.concat(this.#said).toString("latin1");
  }

  /** A one-time address for the app, as `ctl open` gets it. */
  async link({ port = APP_PORT, token = this.front.admin, ref = "web" } = {}): Promise<URL> {
    const path = `/api/v1/containers/${ref}/open`;
    const asking = { method: "POST", path, headers: [bearer(token)], body: JSON.stringify({ port }) };
    const answer = await this.front.ask(asking);
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.body}`);
    return new URL(String(json(answer)["url"]));
  }

  /** Follows the address, and keeps the cookie. */
  async visit(link?: URL): Promise<Visitor> {
    const { host, pathname, search } = link ?? (await this.link());
    const answer = await this.ask(host, { path: pathname + search });
    if (answer.status !== 303) throw new Error(`${answer.status} ${answer.body}`);
    const cookie = `Cookie: ${(answer.headers["set-cookie"] ?? "").split(";", 1)[0]}`;
    return new Visitor(this, host, cookie);
  }

  /** One request to a host of the agent's. */
  ask(host: string, asking: Asking) {
    return converse(this.front.port, requestText(host, asking));
  }

  async noSessions(): Promise<void> {
    await until("no session any more", () => Object.keys(this.front.desk.sessions.counts()).length === 0);
  }

  /** No connection to the app is left. */
  async nothingInside(): Promise<void> {
    const all = [...this.inside, ...this.dialled];
    await until("no connection to the app", () => all.every(({ destroyed }) => destroyed));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.front[Symbol.asyncDispose]();
    for (const socket of this.inside) socket.destroy();
    this.#server.close();
  }
}

/** A browser in which the app was opened. */
export class Visitor {
  readonly host: string;
  /** As a header. */
  readonly cookie: string;
  readonly #proxied: Proxied;

  constructor(proxied: Proxied, host: string, cookie: string) {
    this.#proxied = proxied;
    this.host = host;
    this.cookie = cookie;
  }

  ask(asking: Asking = {}) {
    return this.#proxied.ask(this.host, { ...asking, headers: [this.cookie, ...(asking.headers ?? [])] });
  }

  /** A connection on which this was said, and which is then the test's. */
  say(text: string): Socket {
    const socket = connect({ port: this.#proxied.front.port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.write(text);
    return socket;
  }

  /** The text of a request with the cookie. */
  text(asking: Asking = {}): string {
    return requestText(this.host, { ...asking, headers: [this.cookie, ...(asking.headers ?? [])] });
  }
}
