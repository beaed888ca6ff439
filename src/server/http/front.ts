/** The server's front: every route that it has. */

import type { Registry } from "prom-client";
import type { AuditLog } from "../../audit/audit-log.ts";
import type { Credentials } from "../../auth/credentials.ts";
import { Signatures } from "../../auth/signature.ts";
import { Addresses } from "../../door/apps/addresses.ts";
import { Apps } from "../../door/apps/apps.ts";
import { APP_LIMITS, type AppDesk } from "../../door/apps/desk.ts";
import { AppHosts } from "../../door/apps/hosts.ts";
import type { App } from "../../door/declaration.ts";
import { createFront, type Front, type Shared } from "../../door/front.ts";
import type { DoorConfig, Log } from "../../door/options.ts";
import { addPage } from "../../door/page.ts";
import { asFairleadError } from "../../door/problems.ts";
import { addAudit, type AuditDesk } from "../../door/routes/audit.ts";
import { addSignIn } from "../../door/routes/sign-in.ts";
import { addVersion } from "../../door/routes/version.ts";
import { Watches } from "../../door/watches.ts";
import type { FleetEvent } from "../../protocol/events.ts";
import type { History } from "../history/history.ts";
import type { BootstrapTokens } from "../nodes/bootstrap.ts";
import { checkHost } from "../nodes/host-check.ts";
import type { Nodes } from "../nodes/nodes.ts";
import type { Registration } from "../nodes/registration.ts";
import type { Devices } from "../people/devices.ts";
import type { ApiTokens } from "../people/tokens.ts";
import type { Exchange } from "../relay/exchange.ts";
import { auditorAfter, auditorBefore } from "./audit.ts";
import { addAgents } from "./routes/agents.ts";
import { addContainers } from "./routes/containers.ts";
import { addHistory } from "./routes/history.ts";
import { addLogin } from "./routes/login.ts";
import { addNodes } from "./routes/nodes.ts";
import { addOpen } from "./routes/open.ts";
import { addPasses } from "./routes/passes.ts";
import { addProbes } from "./routes/probes.ts";
import { addRelayed } from "./routes/relayed.ts";
import { addSessions } from "./routes/sessions.ts";
import { addStats } from "./routes/stats.ts";
import { addTokens } from "./routes/tokens.ts";

export interface ServerFrontConfig extends DoorConfig {
  name: string;
  version: string;
  metricsPublic: boolean;
  loginLifetime: number;
  /** Below whose host name containers' pages are met from other machines, e.g. `https://apps.example.com`. */
  appsUrl?: string;
}

export interface ServerFrontOptions {
  config: ServerFrontConfig;
  credentials: Credentials;
  metrics: Registry;
  log: Log;
  tokens: ApiTokens;
  devices: Devices;
  nodes: Nodes;
  bootstrap: BootstrapTokens;
  registration: Registration;
  events: History<FleetEvent>;
  audit: AuditDesk & Pick<AuditLog, "record" | "append" | "appendNow">;
  exchange: Exchange;
  /** Carries the pages of containers. */
  appDesk: AppDesk;
  /** The built page, where there is one. */
  uiDirectory: string | undefined;
}

/** The same container has another address at an agent of this machine. */
const PROGRAM = "server";

/** Builds the front without listening yet; throws when its configuration would leave a door open. */
export async function createServerFront(options: ServerFrontOptions): Promise<Front> {
  const { config, credentials, metrics, log, nodes } = options;
  const signatures = new Signatures();
  const addresses = new Addresses({ program: PROGRAM, secure: config.tls !== undefined, appsUrl: config.appsUrl });
  const apps = new Apps({ desk: options.appDesk, addresses, limits: APP_LIMITS });
  const front = await createFront({
    config,
    audit: options.audit.record,
    credentials,
    metrics,
    log,
    isReady: () => true,
    understand: asFairleadError,
    hosts: (request) => checkHost(request, { nodes, signatures }),
    others: (neighbourhood) => new AppHosts({ ...neighbourhood, addresses, apps, log, tokens: credentials.tokens }),
    furnish: (app, shared) => furnish(app, options, { ...shared, apps }),
  });
  const close = async () => {
    apps.close();
    await front.close();
  };
  return { ...front, close };
}

type Furniture = Shared & { apps: Apps };

async function furnish(app: App, options: ServerFrontOptions, shared: Furniture): Promise<void> {
  const { door, limits, draining, apps } = shared;
  const { config, credentials, nodes } = options;
  const { name: node, version, metricsPublic, loginLifetime: lifetime } = config;
  const audit = auditorAfter({ door, log: options.audit });
  const watches = new Watches({ limits, draining, understand: asFairleadError });
  addProbes(app, { registry: options.metrics, metricsPublic, isReady: () => true, draining });
  addSignIn(app, { node, credentials, door, audit: options.audit.record });
  addVersion(app, { kind: "server", node, version });
  addLogin(app, { ...options, door, audit, lifetime });
  addTokens(app, { ...options, audit });
  addNodes(app, { ...options, watches, audit });
  addAgents(app, { ...options, door });
  addHistory(app, { ...options, watches });
  addAudit(app, { audit: options.audit, limits, draining });
  addPasses(app, { passes: options.exchange.passes, audit: auditorBefore({ door, log: options.audit }) });
  addSessions(app, { ...options, door });
  addContainers(app, { nodes, relay: options.exchange.relay, watches });
  addStats(app, { nodes, relay: options.exchange.relay, watches });
  addOpen(app, { apps, relay: options.exchange.relay });
  addRelayed(app, options.exchange);
  if (options.uiDirectory !== undefined) await addPage(app, options.uiDirectory);
}
