/** The listening socket: its time-outs, its limits, and the rule about TLS. */

import {
  createServer as createPlain,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from "node:http";
import { createServer as createSecure } from "node:https";
import type { Duplex } from "node:stream";
import { FairleadError } from "../../protocol/errors.ts";
import { isLoopback, type Networks } from "./address.ts";
import type { ConnectionBudget } from "./budget.ts";
import type { GatewayConfig, Limits } from "./options.ts";
import { refuseSocket } from "./problems.ts";

const MAX_HEADER_BYTES = 16_384;
const MAX_HEADERS = 100;
const TCP_KEEPALIVE_MS = 30_000;

/** Throws when the address would serve tokens in the clear to a network. */
export function checkTls({ listenAddress, tls, trustedProxies }: GatewayConfig): void {
  if (tls || trustedProxies.length > 0 || listenAddress === "localhost" || isLoopback(listenAddress)) return;
  throw new Error(
    `listen_address ${listenAddress} can be reached from other machines, and there is no TLS: set tls_cert and tls_key, ` +
      "or trusted_proxies if a proxy in front does TLS, or listen on 127.0.0.1.",
  );
}

/** Without TLS only this machine and a trusted proxy are heard: anybody else would send his token in the clear. */
export function mayBeHeard(socket: { remoteAddress?: string | undefined }, proxies: Networks): boolean {
  const peer = socket.remoteAddress ?? "";
  return "encrypted" in socket || isLoopback(peer) || proxies.has(peer);
}

export function createListener(
  handler: RequestListener,
  { tls, limits }: { tls: GatewayConfig["tls"]; limits: Limits },
  budget: ConnectionBudget,
): Server {
  const options = serverOptions(limits);
  const server = tls
    ? createSecure({ ...options, ...tls, minVersion: "TLSv1.2", handshakeTimeout: limits.handshakeMs }, handler)
    : createPlain(options, handler);
  // WebSockets take this off themselves.
  server.timeout = limits.stallMs;
  server.maxHeadersCount = MAX_HEADERS;
  server.maxConnections = limits.connections;
  server.on("connection", (socket) => budget.arrived(socket));
  return server;
}

/** What Node could not even parse, or waited for in vain. */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET") return void socket.destroy();
  const tooLarge = error.code === "HPE_HEADER_OVERFLOW";
  const late = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const words = late ? "The request did not arrive in time." : "This is not an HTTP request that can be understood.";
  refuseSocket(
    socket,
    new FairleadError(tooLarge ? "too-large" : "bad-request", tooLarge ? "The headers are too large." : words),
  );
}

/** Where the server listens, as an address to open in a browser. */
export function urlOf(server: Server, { listenAddress, tls }: GatewayConfig): string {
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("The server does not listen on a port.");
  const everywhere = listenAddress === "0.0.0.0" || listenAddress === "::";
  const name = everywhere ? "localhost" : listenAddress.includes(":") ? `[${listenAddress}]` : listenAddress;
  return `${tls ? "https" : "http"}://${name}:${bound.port}`;
}

/** An error of `listen` in words that tell the way out. */
export function listenError(error: unknown, { listenAddress, listenPort }: GatewayConfig): Error {
  const where = `port ${listenPort} on ${listenAddress}`;
  const words: Record<string, string> = {
    EADDRINUSE: `Another program already uses ${where}; stop it, or choose another with --listen-port.`,
    EACCES: `This user may not use ${where}; choose a port above 1023 with --listen-port.`,
    EADDRNOTAVAIL: `${listenAddress} is not an address of this machine; correct listen_address.`,
    ENOTFOUND: `${listenAddress} is not an address of this machine; correct listen_address.`,
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
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEPALIVE_MS,
    // Any other upgrade (h2c) is an ordinary request that asked for something we do not have.
    shouldUpgradeCallback: isWebSocket,
  };
}

function isWebSocket(request: IncomingMessage): boolean {
  return request.headers.upgrade?.toLowerCase() === "websocket";
}
