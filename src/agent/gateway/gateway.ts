/** The agent's front: one listener, one choke point, one table of routes. */

import type { FastifyInstance } from "fastify";
import { FairleadError } from "../../protocol/errors.ts";
import { type Route, requireAccess } from "./access.ts";
import { Networks } from "./address.ts";
import { createApp } from "./app.ts";
import { ConnectionBudget } from "./budget.ts";
import { Door } from "./door.ts";
import { checkTls, Listeners } from "./listener.ts";
import { gatewayMetrics } from "./metrics.ts";
import { Names } from "./names.ts";
import { type GatewayOptions, LIMITS, type Limits, type ServerCertificate } from "./options.ts";
import { addPage } from "./page.ts";
import { type Place, Places } from "./places.ts";
import { addContainers } from "./routes/containers.ts";
import { addLogs } from "./routes/logs.ts";
import { addPorts } from "./routes/ports.ts";
import { addProbes } from "./routes/probes.ts";
import { addProcesses } from "./routes/processes.ts";
import { addSessions } from "./routes/sessions.ts";
import { addSignIn } from "./routes/sign-in.ts";
import { addVersion } from "./routes/version.ts";

export interface Gateway {
  /** The route table, for whoever wants to check that every door is guarded. */
  readonly routes: readonly Route[];
  /** Rejects with words for people when an address cannot be used; then nothing listens. */
  listen(): Promise<Place>;
  /** For connections from now on, where the gateway has TLS at all. Throws for one that TLS refuses. */
  replaceCertificate(certificate: ServerCertificate): void;
  /** Takes no new work and ends the watches; probes go on answering, `/readyz` with 503. */
  drain(): Promise<void>;
  /** Cuts what is left. Idempotent. */
  close(): Promise<void>;
}

interface Shared {
  door: Door;
  limits: Limits;
  draining: AbortSignal;
}

/** Builds the gateway without listening yet; throws when its configuration would leave a door open. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, credentials, log } = options;
  checkTls(config);
  const limits: Limits = { ...LIMITS, ...config.limits };
  const proxies = new Networks(config.trustedProxies);
  const names = new Names(config.publicUrls);
  const budget = new ConnectionBudget(limits, proxies);
  const stop = new AbortController();
  const door = new Door({ names, proxies, credentials, budget, draining: stop.signal });
  const listeners = new Listeners({ tls: config.tls, limits, budget });
  const app = await createApp({
    listener: (handler) => listeners.make(handler),
    door,
    log,
    metrics: gatewayMetrics(options.metrics, budget),
  });
  const routes = requireAccess(app);
  await furnish(app, options, { door, limits, draining: stop.signal });
  const isReady = () => options.runtimeReady() && !stop.signal.aborted;
  const drain = async () => stop.abort(new FairleadError("shutting-down", "The agent is shutting down."));
  const places = new Places(app, config, { isReady, limits, listeners });
  return {
    routes,
    drain,
    listen: () => places.open(),
    replaceCertificate: (certificate) => listeners.replaceCertificate(certificate),
    close: async () => {
      await drain();
      await places.close();
    },
  };
}

/** Every route there is. */
async function furnish(
  app: FastifyInstance,
  options: GatewayOptions,
  { door, limits, draining }: Shared,
): Promise<void> {
  const { config, containers, credentials, runtimeReady, sessions, uiDirectory } = options;
  const node = config.nodeName;
  const { metricsPublic } = config;
  addProbes(app, { door, registry: options.metrics, metricsPublic, containers, runtimeReady, draining });
  addContainers(app, { node, containers, limits, draining });
  addSignIn(app, { node, credentials, door });
  addSessions(app, { sessions, door });
  addLogs(app, { sessions, door });
  addProcesses(app, { sessions, door, limits });
  addPorts(app, { sessions, door, limits });
  addVersion(app, { node, version: config.version });
  if (uiDirectory !== undefined) await addPage(app, uiDirectory);
  await app.ready();
}
