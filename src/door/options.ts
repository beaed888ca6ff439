/** What a door is given: where it listens, what it lends to strangers, and where it writes down what happened. */

import type { Pace } from "./admission.ts";

/** PEM texts. */
export interface ServerCertificate {
  cert: string;
  key: string;
}

export interface DoorConfig {
  listenAddress: string;
  /** 0 lets the system choose. */
  listenPort: number;
  /** Where this user's own programs may come in too: a socket file, without TCP and TLS. */
  localSocket?: string;
  /** Addresses under which browsers reach this program from elsewhere, e.g. `https://gw.example.com`. */
  publicUrls: readonly string[];
  /** Addresses or networks (`10.0.0.0/8`) whose word about the client's address is believed. */
  trustedProxies: readonly string[];
  /** To begin with. */
  tls?: ServerCertificate;
  /** A listener of its own for `/healthz` and `/readyz`, without TLS; port 0 lets the system choose. */
  probes?: { address: string; port: number };
  limits?: Partial<Limits>;
}

export interface Limits {
  /** Milliseconds until a request's headers, the whole request, and a TLS handshake must be complete. */
  headersMs: number;
  requestMs: number;
  handshakeMs: number;
  /** How often, in milliseconds, the first two are looked at: how late a silent connection may be closed. */
  checkMs: number;
  keepAliveMs: number;
  /** How long a request or its answer may stand still, neither byte nor heartbeat taken, in milliseconds. */
  stallMs: number;
  connections: number;
  /** How fast connections are taken where each begins with a TLS handshake. */
  pace: Pace;
  /**
   * Connections on which nobody proved who he is: from `begin` on a share of the new ones is dropped at random, from `full` on
   * all. An address that stands for many people, this machine itself or a trusted proxy, has `full` of its own.
   */
  unauthenticated: { begin: number; share: number; full: number };
  /** The same from one address (IPv6: one /64 network). */
  perSource: number;
  watches: number;
  heartbeatMs: number;
}

export const LIMITS: Limits = {
  headersMs: 10_000,
  requestMs: 30_000,
  handshakeMs: 10_000,
  checkMs: 5_000,
  keepAliveMs: 10_000,
  stallMs: 60_000,
  connections: 1_024,
  pace: { rate: 200, waiting: 800 },
  unauthenticated: { begin: 10, share: 0.3, full: 256 },
  perSource: 10,
  watches: 256,
  heartbeatMs: 15_000,
};

export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
