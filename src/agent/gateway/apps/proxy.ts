/** Passes one app's requests, WebSockets and answers on, as they come and as fast as the slower side takes them. */

import type { ClientRequest, IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createProxyServer, type ProxyServer } from "http-proxy";
import { FairleadError } from "../../../protocol/errors.ts";
import { plainAddress } from "../../../door/address.ts";
import { refuseSocket } from "../../../door/problems.ts";
import { RuntimeError } from "../../runtime/runtime.ts";
import type { AppLimits } from "../options.ts";
import { asFairleadError } from "../problems.ts";
import { cleanseAnswer, trailersOf } from "./headers.ts";
import { rewriteLocation } from "./location.ts";
import type { Pool } from "./pool.ts";
import { refuse } from "./refusal.ts";

/** After one side of a WebSocket has ended, what the other may still take, in milliseconds. */
const LINGER_MS = 10_000;
/** What may be asked a second time when a kept connection turns out to be closed: it changes nothing, and has no body. */
const REPEATABLE = ["GET", "HEAD"];

export interface ProxyParts {
  pool: Pool;
  origin: string;
  port: number;
  names: readonly string[];
  limits: AppLimits;
}

export class AppProxy {
  readonly #proxy: ProxyServer;
  readonly #parts: ProxyParts;
  /** What was sent to the app for a request, the first time and again. */
  readonly #sent = new WeakMap<IncomingMessage, { request: ClientRequest; tries: number }>();
  /** WebSockets to whose clients an answer has begun. */
  readonly #answered = new WeakSet<Duplex>();

  constructor(parts: ProxyParts) {
    const { pool, port, limits } = parts;
    this.#parts = parts;
    this.#proxy = createProxyServer({
      target: { protocol: "http:", host: "app", port },
      agent: pool,
      upgradeTimeout: limits.upgradeMs,
    });
    this.#proxy.on("proxyReq", (sent, request, response) => this.#sending(sent, request, response));
    this.#proxy.on("proxyRes", (answer, request, response) => this.#answering(answer, request, response));
    this.#proxy.on("proxyReqWs", (sent, _request, client) => this.#upgrading(sent, client));
    this.#proxy.on("error", (error, request, guest) => this.#failed(error, request, guest));
  }

  /** The request's headers are what the app is to see. */
  request(request: IncomingMessage, response: ServerResponse): void {
    // Pages that wait for news may be silent for long; their session has an end of its own.
    request.socket.setTimeout(0);
    void this.#proxy.web(request, response).catch(() => response.destroy());
  }

  /** The same for a WebSocket. `head` is what the client said before it had an answer. */
  upgrade(request: IncomingMessage, client: Socket, head: Buffer): void {
    void this.#proxy.ws(request, client, {}, head).catch(() => client.destroy());
  }

  #sending(sent: ClientRequest, request: IncomingMessage, response: ServerResponse): void {
    this.#sent.set(request, { request: sent, tries: (this.#sent.get(request)?.tries ?? 0) + 1 });
    // The app may have an opinion before the first byte of a body comes.
    if (hasBody(request)) sent.flushHeaders();
    request.once("end", () => sent.addTrailers(trailersOf(request)));
    const { answerMs } = this.#parts.limits;
    const late = () => {
      const seconds = Math.round(answerMs / 1_000);
      sent.destroy(new FairleadError("no-answer", `The app took longer than ${seconds} s to begin its answer.`));
    };
    sent.once("upgrade", (_answer, upstream) => {
      upstream.destroy();
      refuse({ request, response }, badAnswer("it changes the protocol, which nobody asked for"));
    });
    // Until then it has something to wait for itself.
    sent.once("finish", () => {
      const timer = setTimeout(late, answerMs).unref();
      sent.once("response", () => clearTimeout(timer)).once("close", () => clearTimeout(timer));
    });
  }

  #answering(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    if ((answer.statusCode ?? 0) < 200) {
      answer.destroy();
      return refuse({ request, response }, badAnswer(`its status is ${answer.statusCode}`));
    }
    this.#cleanse(answer);
    answer.headers.connection = response.shouldKeepAlive ? "keep-alive" : "close";
    answer.once("end", () => {
      if (response.headersSent && response.chunkedEncoding) response.addTrailers(trailersOf(answer));
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
      this.#answered.add(client);
      this.#cleanse(answer);
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
    cleanseAnswer(answer);
    const { origin, port, names } = this.#parts;
    const { location } = answer.headers;
    if (location === undefined) return;
    const dialled = plainAddress(answer.socket.remoteAddress ?? "");
    const known = { origin, port, names: [...names, dialled, `[${dialled}]`] };
    answer.headers.location = rewriteLocation(location, known);
  }

  #failed(error: NodeJS.ErrnoException, request: IncomingMessage | undefined, guest: Guest): void {
    if (!request || !guest) return;
    if (!("headersSent" in guest)) {
      if (this.#answered.has(guest)) guest.destroySoon();
      else refuseSocket(guest, toldOf(error));
    } else if (guest.headersSent || guest.destroyed) guest.destroy();
    else if (this.#mayRepeat(error, request)) this.request(request, guest);
    else refuse({ request, response: guest }, toldOf(error));
  }

  /** A kept connection that the app closed just when it was asked: it has seen nothing of the request. */
  #mayRepeat({ code }: NodeJS.ErrnoException, request: IncomingMessage): boolean {
    const sent = this.#sent.get(request);
    const { method = "" } = request;
    const stale = sent?.request.reusedSocket === true && (code === "ECONNRESET" || code === "EPIPE");
    return stale && sent.tries === 1 && !hasBody(request) && REPEATABLE.includes(method);
  }
}

/** Whom an error is told to; nobody when he has left. */
type Guest = ServerResponse | Socket | undefined;

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function badAnswer(why: string): FairleadError {
  return new FairleadError("bad-answer", `What listens on that port does not answer as HTTP should: ${why}.`);
}

function toldOf(error: NodeJS.ErrnoException): FairleadError {
  if (error instanceof FairleadError || error instanceof RuntimeError) return asFairleadError(error);
  if (error.code === "ERR_UPSTREAM_UPGRADE_TIMEOUT")
    return new FairleadError("no-answer", "The app did not answer the request for a WebSocket in time.");
  if (error.code === "HPE_HEADER_OVERFLOW") return badAnswer("its headers are longer than 16 KiB");
  if (error.code?.startsWith("HPE_")) return badAnswer("that is not HTTP");
  return badAnswer("it broke the connection off");
}
