/** The agent's front: every route that it has. */

import type { FastifyInstance } from "fastify";
import { createFront, type Front, type Shared } from "../../door/front.ts";
import { addPage } from "../../door/page.ts";
import { addSignIn } from "../../door/routes/sign-in.ts";
import { addVersion } from "../../door/routes/version.ts";
import { Watches } from "../../door/watches.ts";
import type { GatewayOptions } from "./options.ts";
import { asFairleadError } from "./problems.ts";
import { addContainers } from "./routes/containers.ts";
import { addLifecycle } from "./routes/lifecycle.ts";
import { addLogs } from "./routes/logs.ts";
import { addPorts } from "./routes/ports.ts";
import { addProbes } from "./routes/probes.ts";
import { addProcesses } from "./routes/processes.ts";
import { addSessions } from "./routes/sessions.ts";
import { addStats } from "./routes/stats.ts";

/** Builds the gateway without listening yet; throws when its configuration would leave a door open. */
export async function createGateway(options: GatewayOptions): Promise<Front> {
  const { config, credentials, metrics, log, runtimeReady: isReady } = options;
  const furnish = (app: FastifyInstance, shared: Shared) => addRoutes(app, options, shared);
  return createFront({ config, credentials, metrics, log, isReady, understand: asFairleadError, furnish });
}

/** Every route there is. */
async function addRoutes(app: FastifyInstance, options: GatewayOptions, shared: Shared): Promise<void> {
  const { config, containers, credentials, runtimeReady, sessions, stats, uiDirectory } = options;
  const { door, limits, draining } = shared;
  const { nodeName: node, metricsPublic } = config;
  addProbes(app, { door, registry: options.metrics, metricsPublic, containers, runtimeReady, draining });
  const watches = new Watches({ limits, draining, understand: asFairleadError });
  addContainers(app, { node, containers, watches });
  addStats(app, { node, stats, watches });
  addSignIn(app, { node, credentials, door });
  addSessions(app, { sessions, door });
  addLifecycle(app, { sessions, door });
  addLogs(app, { sessions, door });
  addProcesses(app, { sessions, door, limits });
  addPorts(app, { sessions, door, limits });
  addVersion(app, { kind: "agent", node, version: config.version });
  if (uiDirectory !== undefined) await addPage(app, uiDirectory);
}
