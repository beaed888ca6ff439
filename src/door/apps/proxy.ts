/** The way into one app: its requests and WebSockets are passed on as they come, and as fast as the slower side takes them. */

import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createProxyServer, type ProxyServer } from "http-proxy";
import { refuseSocket } from "../problems.ts";
import { Answer } from "./answer.ts";
import type { AppLimits } from "./desk.ts";
import { asObject, type HeaderList, type Headers, headersForGuest, phraseOf, trailersOf } from "./headers.ts";
import { rewriteLocation } from "./location.ts";
import type { Pool } from "./pool.ts";
import { badAnswer, type Exchange, noAnswer, refuse, toldOf } from "./refusal.ts";

/** After one side of a WebSocket has ended, what the other may still take, in milliseconds. */
const LINGER_MS = 10_000;

export interface ProxyParts {
  pool: Pool;
  origin: string;
  port: number;
  names: readonly string[];
  limits: AppLimits;
}

export class AppProxy {
  /** For WebSockets, and for bodies: it begins a request before its body, and gives up what is refused early. */
  readonly #proxy: ProxyServer;
  readonly #parts: ProxyParts;
  /** WebSockets to whose clients an answer has begun. */
  readonly #answered = new WeakSet<Duplex>();

  constructor(parts: ProxyParts) {
    const { pool, port, limits } = parts;
    this.#parts = parts;
    this.#proxy = createProxyServer({
      target: { protocol: "http:", host: "app", port },
      agent: pool.agent,
      upgradeTimeout: limits.upgradeMs,
    });
    this.#proxy.on("proxyReq", (sent, request, response) => this.#sending(sent, request, response));
    this.#proxy.on("proxyRes", (answer, request, response) => this.#answering(answer, request, response));
    this.#proxy.on("proxyReqWs", (sent, _request, client) => this.#upgrading(sent, client));
    this.#proxy.on("error", (error, request, guest) => this.#failed(error, request, guest));
  }

  /** The app is to see these headers. */
  request(request: IncomingMessage, response: ServerResponse, headers: HeaderList): void {
    // Pages that wait for news may be silent for long; their session has an end of its own.
    request.socket.setTimeout(0);
    if (!hasBody(request)) return this.#ask({ request, response }, headers);
    request.headers = asObject(headers);
    void this.#proxy.web(request, response).catch(() => response.destroy());
  }

  /** The same for a WebSocket. `head` is what the client said before it had an answer. */
  upgrade(request: IncomingMessage, client: Socket, { headers, head }: { headers: HeaderList; head: Buffer }): void {
    request.headers = { ...asObject(headers), connection: "Upgrade", upgrade: "websocket" };
    void this.#proxy.ws(request, client, {}, head).catch(() => client.destroy());
  }

  #ask(exchange: Exchange, headers: HeaderList): void {
    const { pool, limits } = this.#parts;
    const told = (from: Headers) => this.#told(from);
    Answer.begin(exchange, { pool, headers, answerMs: limits.answerMs, told });
  }

  #sending(sent: ClientRequest, request: IncomingMessage, response: ServerResponse): void {
    // The app may have an opinion before the first byte of a body comes.
    sent.flushHeaders();
    request.once("end", () => sent.addTrailers(trailersOf(request.trailers)));
    sent.once("upgrade", (_answer, upstream) => {
      upstream.destroy();
      refuse({ request, response }, badAnswer("it changes the protocol, which nobody asked for"));
    });
    // Until then it has something to wait for itself.
    const { answerMs } = this.#parts.limits;
    sent.once("finish", () => {
      const timer = setTimeout(() => sent.destroy(noAnswer(answerMs)), answerMs).unref();
      sent.once("response", () => clearTimeout(timer)).once("close", () => clearTimeout(timer));
    });
  }

  #answering(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    if ((answer.statusCode ?? 0) < 200) {
      answer.destroy();
      return refuse({ request, response }, badAnswer(`its status is ${answer.statusCode}`));
    }
    this.#cleanse(answer);
    // What is in it may be long in coming; what has come with the head goes with it.
    setImmediate(() => {
      if (!answer.readableDidRead && !response.writableEnded && !response.destroyed) response.flushHeaders();
    });
    answer.headers.connection = response.shouldKeepAlive ? "keep-alive" : "close";
    answer.once("end", () => {
      if (response.headersSent && response.chunkedEncoding) response.addTrailers(trailersOf(answer.trailers));
    });
  }

  /** Only 101 makes it a WebSocket; anything else is passed on, and then both sides are done. */
  #upgrading(sent: ClientRequest, client: Socket): void {
    sent.once("response", (answer) => {
      sent.shouldKeepAlive = false;
      this.#answered.add(client);
      this.#cleanse(answer);
      client.once("finish", () => client.destroySoon());
    });
    sent.once("upgrade", (answer, upstream) => {
      const { upgrade } = answer.headers;
      this.#answered.add(client);
      this.#cleanse(answer);
      Object.assign(answer.headers, { connection: "Upgrade", upgrade });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.once("close", () => other.destroySoon());
        one.once("end", () => void setTimeout(() => other.destroy(), LINGER_MS).unref());
      }
    });
  }

  #cleanse(answer: IncomingMessage): void {
    const { statusCode = 0, headers } = answer;
    answer.headers = asObject(this.#told(headers));
    answer.statusMessage = phraseOf(statusCode);
  }

  /** What of an answer's headers the client is to see. */
  #told(headers: Headers): HeaderList {
    const { pool, origin, port, names } = this.#parts;
    const known = () => ({ origin, port, names: [...names, pool.address, `[${pool.address}]`] });
    return headersForGuest(headers, (location) => rewriteLocation(location, known()));
  }

  #failed(error: NodeJS.ErrnoException, request: IncomingMessage | undefined, guest: Guest): void {
    if (!request || !guest) return;
    if (!("headersSent" in guest)) {
      if (this.#answered.has(guest)) guest.destroySoon();
      else refuseSocket(guest, toldOf(error));
    } else if (guest.headersSent || guest.destroyed) guest.destroy();
    else refuse({ request, response: guest }, toldOf(error));
  }
}

/** Whom an error is told to; nobody when he has left. */
type Guest = ServerResponse | Socket | undefined;

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
