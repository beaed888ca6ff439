/** Where the engine is and how to reach it: a unix socket, TCP, or TCP with TLS client certificates. */

import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { connect as connectTcp, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { RuntimeError } from "../runtime.ts";

const DEFAULT_PORT = 2375;
const DEFAULT_TLS_PORT = 2376;
/** Short calls share at most this many sockets; streams have their own and never wait for one of these. */
const MAX_CALL_SOCKETS = 8;

/** Milliseconds of silence before the system asks whether the other machine is still there. */
const KEEPALIVE_MS = 30_000;

/** PEM contents, as found in `ca.pem`, `cert.pem` and `key.pem` of a DOCKER_CERT_PATH. */
export interface TlsFiles {
  ca: Buffer;
  cert: Buffer;
  key: Buffer;
}

export interface Endpoint {
  /** As configured, for messages. */
  readonly host: string;
  readonly target: { path: string } | { host: string; port: number };
  readonly tls?: TlsFiles;
}

/** Accepts `unix:///path` and `tcp://host[:port]`; throws RuntimeError `invalid` for anything else. */
export function parseEndpoint(host: string, tls?: TlsFiles): Endpoint {
  const unix = /^unix:\/\/(\/.+)$/.exec(host);
  if (unix?.[1]) return { host, target: { path: unix[1] } };
  const url = host.startsWith("tcp://") && URL.canParse(host) ? new URL(host) : undefined;
  if (!url?.hostname || (url.pathname !== "" && url.pathname !== "/")) {
    throw new RuntimeError("invalid", `The engine address "${host}" is not unix:///path or tcp://host:port.`);
  }
  const port = url.port ? Number(url.port) : tls ? DEFAULT_TLS_PORT : DEFAULT_PORT;
  const target = { host: url.hostname.replace(/^\[|\]$/g, ""), port };
  return tls ? { host, target, tls } : { host, target };
}

/** Begins a connection of its own; whatever arrives goes to `onread`, and both directions end separately. */
export function connect(endpoint: Endpoint, onread: OnReadOpts): Socket {
  const { target, tls } = endpoint;
  const options = { ...target, onread, allowHalfOpen: true, noDelay: true };
  if ("path" in target) return connectTcp(options);
  const name = isIP(target.host) === 0 ? { servername: target.host } : {};
  const socket = tls ? connectTls({ ...options, ...tls, ...name }) : connectTcp(options);
  // A quiet stream stays open for days: what lies between must not forget it, and a peer that is gone must show.
  return socket.setKeepAlive(true, KEEPALIVE_MS);
}

/** The pool that short REST calls share. */
export function callAgent(endpoint: Endpoint): HttpAgent {
  const options = { keepAlive: true, maxSockets: MAX_CALL_SOCKETS };
  return endpoint.tls ? new HttpsAgent({ ...options, ...endpoint.tls }) : new HttpAgent(options);
}
