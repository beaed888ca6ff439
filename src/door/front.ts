/** A program's front: one listener, one choke point, one table of routes. */

import type { Registry } from "prom-client";
import type { Audit } from "../audit/audit-log.ts";
import { Refusals } from "../audit/refusals.ts";
import type { Credentials } from "../auth/credentials.ts";
import { FairleadError } from "../protocol/errors.ts";
import { Networks } from "./address.ts";
import { createApp } from "./app.ts";
import { ConnectionBudget } from "./budget.ts";
import { type App, type Route, requireDeclarations } from "./declaration.ts";
import { Door } from "./door.ts";
import type { HostCheck } from "./identity.ts";
import { checkTls, Listeners } from "./listener.ts";
import { doorMetrics } from "./metrics.ts";
import type { VouchedStream } from "./channel-stream.ts";
import type { PassCheck } from "./pass.ts";
import { Names } from "./names.ts";
import { type DoorConfig, LIMITS, type Limits, type Log, type ServerCertificate } from "./options.ts";
import { addOpenApi } from "./openapi.ts";
import { type Neighbourhood, NOBODY, type OtherHosts } from "./other-hosts.ts";
import { type Place, Places } from "./places.ts";

export interface Front {
  /** The route table, for whoever wants to check that every door is guarded. */
  readonly routes: readonly Route[];
  /** Rejects with words for people when an address cannot be used; then nothing listens. */
  listen(): Promise<Place>;
  /** Serves a connection that came through the server. */
  take(stream: VouchedStream): void;
  /** For connections from now on, where there is TLS at all. Throws for one that TLS refuses. */
  replaceCertificate(certificate: ServerCertificate): void;
  /** Takes no new work and ends the watches; probes go on answering, `/readyz` with 503. */
  drain(): Promise<void>;
  /** Cuts what is left. Idempotent. */
  close(): Promise<void>;
}

/** What every route may use. */
export interface Shared {
  door: Door;
  limits: Limits;
  draining: AbortSignal;
}

export interface FrontOptions {
  /** Hears who was refused at the door, where that is written down. */
  audit?: Audit;
  /** `version` is that of the program, for OpenAPI's document of the routes. */
  config: DoorConfig & { version: string };
  credentials: Credentials;
  metrics: Registry;
  log: Log;
  /** Whether the program can do its work, as `/readyz` tells. */
  isReady: () => boolean;
  /** Puts anything thrown into words for people. */
  understand: (error: unknown) => FairleadError;
  /** Recognises agents, where they call. */
  hosts?: HostCheck;
  /** Lets those in who bring a pass, where they may come. */
  passes?: PassCheck | undefined;
  /** Makes those who answer on other hosts, if there are any. */
  others?: (neighbourhood: Neighbourhood) => OtherHosts;
  /** Adds every route there is. */
  furnish: (app: App, shared: Shared) => Promise<void>;
}

/** Builds the front without listening yet; throws when its configuration would leave a door open. */
export async function createFront(options: FrontOptions): Promise<Front> {
  const { config, credentials, log, understand } = options;
  checkTls(config);
  const limits: Limits = { ...LIMITS, ...config.limits };
  const proxies = new Networks(config.trustedProxies);
  const names = new Names(config.publicUrls);
  const budget = new ConnectionBudget(limits, proxies);
  const stop = new AbortController();
  const refusals = new Refusals(options.audit ?? (() => undefined));
  const { hosts, passes } = options;
  const door = new Door({ names, proxies, credentials, budget, refusals, draining: stop.signal, hosts, passes });
  const metrics = doorMetrics(options.metrics, budget);
  const listeners = new Listeners({ tls: config.tls, limits, budget });
  const app = await createApp({
    listener: (handler) => listeners.make(handler),
    door,
    others: options.others?.({ proxies, budget, metrics, draining: stop.signal }) ?? NOBODY,
    log,
    metrics,
    understand,
  });
  const routes = requireDeclarations(app);
  await options.furnish(app, { door, limits, draining: stop.signal });
  addOpenApi(app, { routes, version: config.version });
  await app.ready();
  const isReady = () => options.isReady() && !stop.signal.aborted;
  const drain = async () => stop.abort(new FairleadError("shutting-down", "The server is shutting down."));
  const places = new Places(app, config, { isReady, limits, listeners });
  return {
    routes,
    drain,
    listen: () => places.open(),
    take: (stream) => listeners.take(app.server, stream),
    replaceCertificate: (certificate) => listeners.replaceCertificate(certificate),
    close: async () => {
      await drain();
      await places.close();
      refusals.close();
    },
  };
}
