/** The door of apps: what comes to an app's own host is dealt with here, before the program's own routes look at it. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Tokens } from "../../auth/tokens.ts";
import { ERRORS, FairleadError } from "../../protocol/errors.ts";
import { sourceOf } from "../address.ts";
import { mayBeHeard } from "../listener.ts";
import { count } from "../names.ts";
import type { Log } from "../options.ts";
import type { Neighbourhood, OtherHosts } from "../other-hosts.ts";
import { newRequestId } from "../request-id.ts";
import { REQUEST_ID_HEADER } from "../../protocol/version.ts";
import { goneSignal } from "../stay.ts";
import { asFairleadError, refuseSocket } from "../problems.ts";
import type { Addresses, AppHost } from "./addresses.ts";
import type { App } from "./app.ts";
import { type Apps, OPEN_PATH } from "./apps.ts";
import { readAppCookie } from "./cookie.ts";
import { checkWhoAsks } from "./fetch-site.ts";
import { type HeaderList, headersForApp } from "./headers.ts";
import { type Exchange, refuse } from "./refusal.ts";

/** What all apps together are in the figures. */
const ROUTE = "app";
const CLOSED = "This app is not open, or not any more. Open it again: in the list of containers, or with ctl open.";

export interface HostParts extends Neighbourhood {
  addresses: Addresses;
  apps: Apps;
  tokens: Tokens;
  log: Log;
}

export class AppHosts implements OtherHosts {
  readonly #parts: HostParts;
  /** On how many requests of a connection an app is at work: a large upload takes as long as it takes. */
  readonly #busy = new WeakMap<Duplex, number>();

  constructor(parts: HostParts) {
    this.#parts = parts;
    parts.draining.addEventListener("abort", () => parts.apps.drain(), { once: true });
  }

  request(request: IncomingMessage, response: ServerResponse): boolean {
    const host = this.#hostOf(request);
    if (!host) return false;
    response.once("close", () => this.#parts.metrics.answered(ROUTE, response.statusCode));
    const exchange: Exchange = { request, response };
    this.#serve(exchange, host).catch((error: unknown) => {
      const id = (exchange.id ??= newRequestId());
      refuse(exchange, this.#refusal(error, { request, id }));
    });
    return true;
  }

  upgrade(request: IncomingMessage, client: Socket, head: Buffer): boolean {
    const host = this.#hostOf(request);
    if (!host) return false;
    client.on("error", () => client.destroy());
    try {
      const app = this.#admit(request, host);
      const headers = this.#pass(request, app, client);
      app.proxy.upgrade(request, client, { headers, head });
    } catch (error) {
      const id = newRequestId();
      refuseSocket(client, this.#refusal(error, { request, id }), id);
    }
    return true;
  }

  serves(socket: Duplex): boolean {
    return (this.#busy.get(socket) ?? 0) > 0;
  }

  #hostOf({ headers }: IncomingMessage): AppHost | undefined {
    return headers.host === undefined ? undefined : this.#parts.addresses.parse(headers.host.toLowerCase());
  }

  async #serve(exchange: Exchange, host: AppHost): Promise<void> {
    const { request, response } = exchange;
    if (request.url?.split("?", 1)[0] === OPEN_PATH) return await this.#open(exchange, host);
    const app = this.#admit(request, host);
    const headers = this.#pass(request, app, response);
    this.#count(request.socket, 1);
    response.once("close", () => this.#count(request.socket, -1));
    app.proxy.request(request, response, headers);
  }

  #count(socket: Duplex, change: 1 | -1): void {
    this.#busy.set(socket, (this.#busy.get(socket) ?? 0) + change);
  }

  /** Turns the code into a cookie, and sends the browser on to where the code is not in the address. */
  async #open(exchange: Exchange, host: AppHost): Promise<void> {
    const { request, response } = exchange;
    this.#checkHost(request, host);
    const code = URL.parse(request.url ?? "", host.origin)?.searchParams.get("code") ?? "";
    if (request.method !== "GET") throw new FairleadError("bad-request", "An app is opened with GET.");
    const id = (exchange.id = newRequestId());
    const remote = { address: this.#address(request), door: "http", request: id };
    const cookie = await this.#parts.apps.redeem(code, host, { remote, signal: goneSignal(response) });
    this.#parts.budget.authenticated(request.socket);
    response.writeHead(303, {
      location: "/",
      [REQUEST_ID_HEADER]: id,
      "set-cookie": cookie,
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "content-length": 0,
    });
    response.end();
  }

  /** Throws unless the request comes from the app's own pages, in a browser in which somebody opened it. */
  #admit(request: IncomingMessage, host: AppHost): App {
    this.#checkHost(request, host);
    checkWhoAsks(request.headers, { method: request.method ?? "", origin: host.origin });
    const app = this.#parts.apps.find(readAppCookie(request.headers.cookie, host.cookieName), host);
    if (!app) throw new FairleadError("unauthenticated", CLOSED);
    this.#parts.budget.authenticated(request.socket);
    return app;
  }

  #checkHost(request: IncomingMessage, host: AppHost): void {
    const { apps, proxies, draining } = this.#parts;
    if (count(request, "host") !== 1 || !apps.knows(host) || !mayBeHeard(request.socket, proxies))
      throw new FairleadError("wrong-host", CLOSED);
    if (!request.url?.startsWith("/")) throw new FairleadError("bad-request", "The request names another server.");
    if (draining.aborted) throw draining.reason;
  }

  /** From here on the request is the app's: gives what the app may know. */
  #pass(request: IncomingMessage, app: App, guest: Duplex | ServerResponse): HeaderList {
    const { tokens } = this.#parts;
    const isOurs = (authorization: string) => authorization.split(/\s+/).some((word) => tokens.verify(word));
    const { forwarded } = app;
    const headers = headersForApp(request, { address: this.#address(request), forwarded, isOurs });
    guest.on(
      "close",
      app.serve(() => guest.destroy()),
    );
    return headers;
  }

  /** Of the request only what tells nothing secret. */
  #refusal(error: unknown, { request, id }: Pick<Required<Exchange>, "request" | "id">): FairleadError {
    const told = asFairleadError(error);
    const { log, metrics } = this.#parts;
    const status = ERRORS[told.code].http;
    metrics.refused(told.code);
    if (told.code === "internal") log.error({ request: id, err: error, route: ROUTE }, "a request failed");
    else {
      const fields = { request: id, method: request.method, route: ROUTE, status };
      log.warn({ ...fields, source: this.#address(request) }, "refused a request");
    }
    return told;
  }

  #address({ socket, headers }: IncomingMessage): string {
    return sourceOf(socket.remoteAddress, [headers["x-forwarded-for"]].flat().join(","), this.#parts.proxies).address;
  }
}
