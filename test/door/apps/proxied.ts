/** A container whose port leads to a server of the test's own, on an agent or behind a server, and a browser of few words that has opened it. */

import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { suite } from "node:test";
import { RuntimeError } from "../../../src/agent/runtime/runtime.ts";
import type { AppLimits } from "../../../src/door/apps/desk.ts";
import type { DeskOptions } from "../../support/desk.ts";
import { Fleet } from "../../support/fleet.ts";
import { apiOf } from "../../../src/protocol/version.ts";
import { until } from "../../support/until.ts";
import {
  type Asking,
  bearer,
  closed,
  converse,
  type Front,
  type FrontOptions,
  json,
  requestText,
  startFront,
  upgrade,
} from "../../support/front.ts";

/** Where the app listens in its container. */
export const APP_PORT = 8080;

export interface ProxiedOptions {
  limits?: Partial<AppLimits>;
  desk?: DeskOptions;
  config?: FrontOptions["config"];
  tokens?: FrontOptions["tokens"];
}

/** What answers there: HTTP, or whatever it wants to do with a connection. */
export type Answering = RequestListener | { raw: (socket: Socket) => void };

/** Where a link to the app is asked for, and followed. */
interface Place extends AsyncDisposable {
  /** Of the agent. */
  front: Front;
  port: number;
  token: string;
  /** Of the host there. */
  api: string;
  fleet?: Fleet;
}

export class Proxied {
  /** Of the agent that the container is on. */
  readonly front: Front;
  readonly app: TestApp;
  readonly #place: Place;

  /** On an agent. */
  static async open(answering: Answering, options: ProxiedOptions = {}): Promise<Proxied> {
    const app = await TestApp.start(answering);
    const front = await startFront({
      desk: { dial: app.dial, ...options.desk },
      config: { ...options.config, ...(options.limits && { appLimits: options.limits }) },
      ...(options.tokens && { tokens: options.tokens }),
    });
    const close = () => front[Symbol.asyncDispose]();
    const { port, admin: token } = front;
    return new Proxied(app, { front, port, token, api: "/api/v1", [Symbol.asyncDispose]: close });
  }

  /** On a host that is only reached through its server; of the options the desk's alone count. */
  static async behind(answering: Answering, options: ProxiedOptions = {}): Promise<Proxied> {
    const app = await TestApp.start(answering);
    const fleet = await Fleet.start({ dial: app.dial, ...options.desk });
    const close = () => fleet[Symbol.asyncDispose]();
    const { box: front, token } = fleet;
    const port = Number(new URL(fleet.url).port);
    return new Proxied(app, { front, port, token, api: apiOf("box"), fleet, [Symbol.asyncDispose]: close });
  }

  private constructor(app: TestApp, place: Place) {
    this.app = app;
    this.front = place.front;
    this.#place = place;
  }

  /** Connections that came in to the app, also those that are closed. */
  get inside(): Socket[] {
    return this.app.inside;
  }

  /** The agent's ends of these. */
  get dialled(): Socket[] {
    return this.app.dialled;
  }

  /** Every byte that reached a raw app. */
  get said(): string {
    return Buffer.concat(this.app.said).toString("latin1");
  }

  /** The server, where it is behind one. */
  get fleet(): Fleet {
    if (!this.#place.fleet) throw new Error("this app is on an agent");
    return this.#place.fleet;
  }

  /** Where all of it is met. */
  get port(): number {
    return this.#place.port;
  }

  /** A one-time address for the app, as `ctl open` gets it. */
  async link({ port = APP_PORT, token = this.#place.token, ref = "web", api = this.#place.api } = {}): Promise<URL> {
    const path = `${api}/containers/${ref}/open`;
    const asking = { method: "POST", path, headers: [bearer(token)], body: JSON.stringify({ port }) };
    const answer = await this.ask(`127.0.0.1:${this.port}`, asking);
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

  /** One request to a host there. */
  ask(host: string, asking: Asking) {
    return converse(this.port, requestText(host, asking));
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
    await this.#place[Symbol.asyncDispose]();
    this.app.close();
  }
}

/** What listens in the container. */
class TestApp {
  /** Connections that came in. */
  readonly inside: Socket[] = [];
  /** What came in on all of them, of a raw app. */
  readonly said: Buffer[] = [];
  /** The agent's ends of these. */
  readonly dialled: Socket[] = [];
  readonly #server: Server;

  static async start(answering: Answering): Promise<TestApp> {
    const app = new TestApp(answering);
    app.#server.listen(0, "127.0.0.1");
    await once(app.#server, "listening");
    return app;
  }

  private constructor(answering: Answering) {
    const isRaw = "raw" in answering;
    this.#server = isRaw ? createServer({ noDelay: true }, answering.raw) : createHttp(answering);
    this.#server.on("connection", (socket: Socket) => {
      this.inside.push(socket.on("error", () => {}));
      if (isRaw) socket.on("data", (bytes) => this.said.push(bytes));
    });
  }

  /** For the scripted engine. */
  readonly dial = (wanted: number): Socket => {
    if (wanted !== APP_PORT) throw new RuntimeError("dial-refused", `Nothing listens on port ${wanted}.`);
    const { port } = this.#server.address() as AddressInfo;
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.dialled.push(socket);
    return socket;
  };

  close(): void {
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
    const socket = connect({ port: this.#proxied.port, host: "127.0.0.1" });
    socket.on("error", () => {});
    socket.write(text);
    return socket;
  }

  /** The text of a request with the cookie. */
  text(asking: Asking = {}): string {
    return requestText(this.host, { ...asking, headers: [this.cookie, ...(asking.headers ?? [])] });
  }
}

/** Begins an answer and never ends it; a WebSocket gets its handshake. */
export const endless: Answering = {
  raw: (socket: Socket) =>
    void socket.on("data", (bytes) => {
      const upgrades = /^upgrade:/im.test(bytes.toString());
      const head = upgrades ? "101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket" : "200 OK";
      socket.write(`HTTP/1.1 ${head}\r\n\r\n${upgrades ? "" : "news"}`);
    }),
};

/** An answer that goes on and a WebSocket; resolves once both have begun, with what resolves once both have ended. */
export async function stayInside(visitor: Visitor) {
  const page = visitor.say(visitor.text());
  const socket = visitor.say(visitor.text({ headers: [...upgrade(), `Origin: http://${visitor.host}`] }));
  await Promise.all([once(page, "data"), once(socket, "data")]);
  return { ended: Promise.all([closed(page.resume()), closed(socket.resume())]) };
}

/** Opens an app somewhere. */
export type Opening = (answering: Answering, options?: ProxiedOptions) => Promise<Proxied>;

/** The same tests for an app on an agent, and for one behind a server. */
export function everywhere(name: string, define: (open: Opening) => void): void {
  suite(name, () => define((...how) => Proxied.open(...how)));
  suite(`${name} behind a server`, () => define((...how) => Proxied.behind(...how)));
}
