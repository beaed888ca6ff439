/** The agent's front: every route that it has. */

import { Addresses } from "../../door/apps/addresses.ts";
import { Apps } from "../../door/apps/apps.ts";
import { APP_LIMITS } from "../../door/apps/desk.ts";
import { AppHosts } from "../../door/apps/hosts.ts";
import type { App } from "../../door/declaration.ts";
import { createFront, type Front, type Shared } from "../../door/front.ts";
import { addPage } from "../../door/page.ts";
import { passCheck } from "../../door/pass.ts";
import { addAudit } from "../../door/routes/audit.ts";
import { addSignIn } from "../../door/routes/sign-in.ts";
import { addVersion } from "../../door/routes/version.ts";
import { Watches } from "../../door/watches.ts";
import { appDesk } from "./app-desk.ts";
import type { GatewayOptions } from "./options.ts";
import { asFairleadError } from "./problems.ts";
import { addContainers } from "./routes/containers.ts";
import { addEvents } from "./routes/events.ts";
import { addLifecycle } from "./routes/lifecycle.ts";
import { addLogs } from "./routes/logs.ts";
import { addOpen } from "./routes/open.ts";
import { addPorts } from "./routes/ports.ts";
import { addProbes } from "./routes/probes.ts";
import { addProcesses } from "./routes/processes.ts";
import { addSessions } from "./routes/sessions.ts";
import { addStats } from "./routes/stats.ts";

/** Builds the gateway without listening yet; throws when its configuration would leave a door open. */
export async function createGateway(options: GatewayOptions): Promise<Front> {
  const { config, credentials, metrics, log, sessions, runtimeReady: isReady } = options;
  const { nodeName: node, appsUrl } = config;
  const addresses = new Addresses({ program: node, secure: config.tls !== undefined, appsUrl });
  const apps = new Apps({ desk: appDesk(sessions), addresses, limits: { ...APP_LIMITS, ...config.appLimits } });
  const front = await createFront({
    config,
    audit: options.audit.record,
    credentials,
    metrics,
    log,
    isReady,
    understand: asFairleadError,
    passes: options.passes && passCheck(options.passes),
    others: (neighbourhood) => new AppHosts({ ...neighbourhood, addresses, apps, log, tokens: credentials.tokens }),
    furnish: (app, shared) => addRoutes(app, options, { ...shared, apps }),
  });
  const close = async () => {
    apps.close();
    await front.close();
  };
  return { ...front, close };
}

interface Furniture extends Shared {
  apps: Apps;
}

/** Every route there is. */
async function addRoutes(app: App, options: GatewayOptions, shared: Furniture): Promise<void> {
  const { audit, config, containers, credentials, events, runtimeReady, sessions, stats, uiDirectory, uplink } =
    options;
  const { apps, door, limits, draining } = shared;
  const { nodeName: node, metricsPublic } = config;
  addProbes(app, { door, registry: options.metrics, metricsPublic, containers, runtimeReady, draining, uplink });
  const watches = new Watches({ limits, draining, understand: asFairleadError });
  addContainers(app, { node, containers, watches });
  addEvents(app, { node, events, watches });
  addStats(app, { node, stats, watches });
  addSignIn(app, { node, credentials, door, hostShellUser: options.hostShellUser, audit: audit.record });
  addSessions(app, { sessions, door });
  addLifecycle(app, { sessions, door });
  addLogs(app, { sessions, door });
  addProcesses(app, { sessions, door, limits });
  addPorts(app, { sessions, door, limits });
  addOpen(app, { sessions, door, apps });
  addVersion(app, { kind: "agent", node, version: config.version });
  addAudit(app, { audit, limits, draining });
  if (uiDirectory !== undefined) await addPage(app, uiDirectory);
}
