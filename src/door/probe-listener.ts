/** A plain listener for load balancers and monitors that speak no TLS: two bare words for anyone, and nothing else. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { listenError, urlOf } from "./listener.ts";
import type { Limits } from "./options.ts";

/** Probes come one at a time from a few places; any more connections are refused. */
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 4_096;

export interface ProbeListener {
  url: string;
  close(): Promise<void>;
}

export interface ProbeParts {
  /** Whether the program takes work. */
  isReady: () => boolean;
  limits: Pick<Limits, "headersMs" | "requestMs" | "keepAliveMs" | "checkMs">;
}

/** Rejects with words for people when the address cannot be used. */
export async function listenForProbes(
  { address, port }: { address: string; port: number },
  parts: ProbeParts,
): Promise<ProbeListener> {
  const server = probeServer(parts);
  const settings = { address: "probe_address", port: "probe_port" };
  await new Promise<void>((resolve, reject) => {
    server.on("error", (error) => reject(listenError(error, { address, port, settings })));
    server.listen(port, address, resolve);
  });
  return { url: urlOf(server, { address, secure: false }), close: () => close(server) };
}

function probeServer({ isReady, limits }: ProbeParts): Server {
  const options = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    maxHeaderSize: MAX_HEADER_BYTES,
  };
  const server = createServer(options, (request, response) => answer(request, response, isReady));
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = limits.requestMs;
  return server;
}

/** The Host is not looked at: a bare word tells nothing that a page on another site could use. */
function answer(request: IncomingMessage, response: ServerResponse, isReady: () => boolean): void {
  const safe = request.method === "GET" || request.method === "HEAD";
  const status = safe ? statusOf(request.url ?? "", isReady) : "not found";
  const code = { ok: 200, ready: 200, "not ready": 503, "not found": 404 }[status];
  const body = JSON.stringify({ status });
  const headers = { "content-type": "application/json", "content-length": body.length, "cache-control": "no-store" };
  response.writeHead(code, headers).end(request.method === "HEAD" ? undefined : body);
}

function statusOf(path: string, isReady: () => boolean): "ok" | "ready" | "not ready" | "not found" {
  if (path === "/healthz") return "ok";
  if (path === "/readyz") return isReady() ? "ready" : "not ready";
  return "not found";
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
