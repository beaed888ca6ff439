/** The listening socket: its time-outs, its limits, and the rule about TLS. */

import {
  createServer as createPlain,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from "node:http";
import { createServer as createSecure, type Server as SecureServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { SecureContextOptions } from "node:tls";
import { FairleadError } from "../protocol/errors.ts";
import { Admission } from "./admission.ts";
import { isLoopback, type Networks } from "./address.ts";
import type { ConnectionBudget } from "./budget.ts";
import type { DoorConfig, Limits, ServerCertificate } from "./options.ts";
import { VouchedStream } from "./channel-stream.ts";
import { refuseSocket } from "./problems.ts";

const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;
const TCP_KEEPALIVE_MS = 30_000;

/** Throws when the address would serve tokens in the clear to a network. */
export function checkTls({ listenAddress, tls, trustedProxies }: DoorConfig): void {
  if (tls || trustedProxies.length > 0 || listenAddress === "localhost" || isLoopback(listenAddress)) return;
  throw new Error(
    `listen_address ${listenAddress} can be reached from other machines, and there is no TLS: set tls to auto, or tls_cert and tls_key, ` +
      "or trusted_proxies if a proxy in front does TLS, or listen on 127.0.0.1.",
  );
}

/** Without TLS only this machine and a trusted proxy are heard: anybody else would send his token in the clear. */
export function mayBeHeard(socket: { remoteAddress?: string | undefined }, proxies: Networks): boolean {
  const peer = socket.remoteAddress ?? "";
  return "encrypted" in socket || isLoopback(peer) || proxies.has(peer);
}

/** Makes the sockets that listen, one for each address of a name, and gives them all the same certificate. */
export class Listeners {
  readonly #limits: Limits;
  readonly #budget: ConnectionBudget;
  readonly #secure = new Set<SecureServer>();
  #tls: ServerCertificate | undefined;

  constructor(parts: { tls: ServerCertificate | undefined; limits: Limits; budget: ConnectionBudget }) {
    this.#limits = parts.limits;
    this.#budget = parts.budget;
    this.#tls = parts.tls;
  }

  make(handler: RequestListener): Server {
    const server = this.#tls ? this.#makeSecure(this.#tls, handler) : createPlain(serverOptions(this.#limits), handler);
    // WebSockets take this off themselves.
    server.timeout = this.#limits.stallMs;
    server.maxHeadersCount = MAX_HEADERS;
    server.maxConnections = this.#limits.connections;
    server.on("connection", (socket: Socket | VouchedStream) => {
      if (!(socket instanceof VouchedStream)) this.#budget.arrived(socket);
    });
    if (this.#tls) this.#pace(server);
    return server;
  }

  /** Nothing is done about a connection, nor counted, before its turn: a handshake takes a millisecond of a processor. */
  #pace(server: Server): void {
    const admission = new Admission(this.#limits.pace);
    const take = server.listeners("connection");
    server.removeAllListeners("connection");
    server.on("connection", (socket: Socket) =>
      admission.enter(socket, () => take.forEach((listener) => void Reflect.apply(listener, server, [socket]))),
    );
  }

  /** Takes a connection that came to the server in another way than TCP, and has no need of TLS. */
  accept(server: Server, socket: Socket): void {
    if (!this.#tls) return void server.emit("connection", socket);
    this.#budget.arrived(socket);
    server.emit("secureConnection", socket);
  }

  /** Takes a connection that came through the server, where its user has proved who he is. */
  take(server: Server, stream: VouchedStream): void {
    server.emit(this.#tls ? "secureConnection" : "connection", stream);
  }

  /** For connections from now on; those that are open go on with the certificate they began with. Throws for one that TLS refuses. */
  replaceCertificate(tls: ServerCertificate): void {
    for (const server of this.#secure) server.setSecureContext(contextOptions(tls));
    this.#tls = tls;
  }

  #makeSecure(tls: ServerCertificate, handler: RequestListener): SecureServer {
    const { handshakeMs: handshakeTimeout } = this.#limits;
    const server = createSecure({ ...serverOptions(this.#limits), ...contextOptions(tls), handshakeTimeout }, handler);
    // Whoever did not get through the handshake understands no answer, and one would wait for a handshake for ever.
    server.prependListener("tlsClientError", (_error, socket) => socket.destroy());
    this.#secure.add(server);
    return server;
  }
}

function contextOptions({ cert, key }: ServerCertificate): SecureContextOptions {
  return { cert, key, minVersion: "TLSv1.2" };
}

/** What Node could not even parse, or waited for in vain. */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET") socket.destroy();
  else refuseSocket(socket, refusalOf(error.code));
}

function refusalOf(code: string | undefined): FairleadError {
  if (code === "HPE_HEADER_OVERFLOW") return new FairleadError("too-large", "The headers are too large.");
  if (code === "ERR_HTTP_REQUEST_TIMEOUT")
    return new FairleadError("bad-request", "The request did not arrive in time.");
  return new FairleadError("bad-request", "This is not an HTTP request that can be understood.");
}

/** Where the server listens, as an address to open in a browser on this machine. */
export function urlOf(server: Server, { address, secure }: { address: string; secure: boolean }): string {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("The server does not listen on a port.");
  const everywhere = address === "0.0.0.0" || address === "::";
  const name = everywhere ? "localhost" : address.includes(":") ? `[${address}]` : address;
  return `${secure ? "https" : "http"}://${name}:${bound.port}`;
}

/** Where a socket should listen, and the settings that say so. */
export interface ListenWish {
  address: string;
  port: number;
  settings: { address: string; port: string };
}

/** An error of `listen` in words that tell the way out. */
export function listenError(error: unknown, { address, port, settings }: ListenWish): Error {
  const where = `port ${port} on ${address}`;
  const flag = `--${settings.port.replaceAll("_", "-")}`;
  const elsewhere = `${address} is not an address of this machine; correct ${settings.address}.`;
  const words: Record<string, string> = {
    EADDRINUSE: `Another program already uses ${where}; stop it, or choose another with ${flag}.`,
    EACCES: `This user may not use ${where}; choose a port above 1023 with ${flag}.`,
    EADDRNOTAVAIL: elsewhere,
    ENOTFOUND: elsewhere,
  };
  const { code = "" } = error as NodeJS.ErrnoException;
  return new Error(words[code] ?? `Listening at ${where} failed: ${String(error)}`, { cause: error });
}

function serverOptions(limits: Limits): ServerOptions {
  return {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    // The door refuses it, as it does every wrong name, with a problem document.
    requireHostHeader: false,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEPALIVE_MS,
    // Any other upgrade (h2c) is an ordinary request that asked for something we do not have.
    shouldUpgradeCallback: isWebSocket,
  };
}

/** HTTP/1.0 knows no upgrade (RFC 9110, section 7.8): a relay that speaks it would take what follows for requests. */
function isWebSocket({ headers, httpVersion }: IncomingMessage): boolean {
  return httpVersion !== "1.0" && headers.upgrade?.toLowerCase() === "websocket";
}
