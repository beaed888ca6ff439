/** The agent, put together: engine, containers, sessions and the door; nothing is built anywhere else. */

import { join } from "node:path";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import { AuditLog } from "../audit/audit-log.ts";
import type { Credentials } from "../auth/credentials.ts";
import { PassVerifier } from "../auth/pass.ts";
import { Presence } from "../boot/presence.ts";
import { StartError } from "../boot/run.ts";
import { StateDirectory } from "../boot/state.ts";
import type { Front } from "../door/front.ts";
import { doorConfig } from "../door/settings.ts";
import { Budget } from "../mux/budget.ts";
import type { Certificate } from "../door/certificate/certificate.ts";
import { openCertificate } from "../door/certificate/choice.ts";
import { localToken, openCredentials, tokenFile } from "./access.ts";
import type { AgentConfig } from "./config.ts";
import { type Elsewhere, elsewhere } from "./elsewhere.ts";
import { openUplink } from "./fleet.ts";
import { engineHost, engineTls } from "./engine-address.ts";
import { watchEngine } from "./engine-watch.ts";
import { createGateway } from "./gateway/gateway.ts";
import type { Place } from "../door/places.ts";
import { processMetrics } from "../door/process-metrics.ts";
import { agentMetrics } from "./metrics/metrics.ts";
import { meteredRuntime } from "./metrics/runtime.ts";
import { SessionMeter } from "./metrics/sessions.ts";
import { createDockerRuntime } from "./runtime/docker/docker.ts";
import { openHost } from "./runtime/host/host.ts";
import type { Runtime } from "./runtime/runtime.ts";
import type { Containers } from "./session/containers.ts";
import { EventHistory } from "./session/events.ts";
import { Passes } from "./session/passes.ts";
import { cameThroughServer } from "./session/relayed.ts";
import { Sessions } from "./session/sessions.ts";
import { SessionsLine, trustedBy } from "./sessions-line.ts";
import { StatsSources } from "./session/stats.ts";
import { Identity } from "./uplink/identity.ts";
import type { Uplink } from "./uplink/uplink.ts";

export interface AgentOptions {
  config: AgentConfig;
  log: Logger;
  version: string;
  pid: number;
  /** Tells where the sockets of the agent's user are, if nothing else does. */
  env: NodeJS.ProcessEnv;
  /** The built page. */
  uiDirectory: string;
  /** Aborted when the program is told to end, also while it still starts. */
  stopping: AbortSignal;
}

const SOCKET_FILE = "agent.sock";
/** The door opens once the engine has answered, or after so many milliseconds. */
const FIRST_WORD_MS = 2_000;
const AUDIT_TROUBLE = "the audit log is not complete, or its bound is reached; see ctl audit verify";

export class Agent {
  readonly url: string;
  /** Signs one page in. */
  readonly code: string;
  readonly engine: string;
  /** Absent where nobody on another machine comes in. */
  readonly elsewhere: Elsewhere | undefined;
  /** The file with the token of this machine's owner. */
  readonly tokenFile: string;
  readonly #parts: Parts;
  readonly #drainMs: number;

  private constructor(parts: Parts, { url, code, config }: { url: string; code: string; config: AgentConfig }) {
    this.#parts = parts;
    this.#drainMs = config.shutdown_grace;
    this.url = url;
    this.code = code;
    this.engine = parts.engine;
    this.elsewhere = elsewhere(config, url, parts.certificate?.pin);
    this.tokenFile = tokenFile(config);
  }

  /** Resolves when the door is open. Throws errors with words for people. */
  static async start(options: AgentOptions): Promise<Agent> {
    const { config, stopping } = options;
    const state = await StateDirectory.open(config.data_dir);
    const presence = await Presence.claim(state, { program: "agent", pid: options.pid });
    const token = await localToken(state);
    const identity = config.server_url === "" ? undefined : await Identity.open(state).catch(refuseStart);
    const certificate = await openCertificate(config, { holder: config.node_name, state, log: options.log }).catch(
      refuseStart,
    );
    const audit = await openAudit(options).catch(refuseStart);
    const parts = await build(options, { audit, presence, token, certificate, identity });
    if (config.require_runtime) await parts.runtime.info(stopping);
    // Whoever comes first is not told that the engine has not answered yet.
    await parts.containers.whenHeard(AbortSignal.any([stopping, AbortSignal.timeout(FIRST_WORD_MS)]));
    const { url } = await open(parts, options.log);
    parts.uplink?.start(url);
    const issuer = parts.credentials.tokens.verify(token);
    if (!issuer) throw new Error("the agent does not know its own token");
    return new Agent(parts, { url, code: parts.credentials.codes.issue(issuer).code, config });
  }

  /** Takes no new work and waits for what is open; once `cut` aborts it waits for nobody, and leaves no process behind. */
  async close(cut: AbortSignal): Promise<void> {
    const { audit, gateway, sessions, credentials, containers, events, runtime } = this.#parts;
    const { presence, certificate, uplink, line, stopMetrics } = this.#parts;
    certificate?.close();
    stopMetrics();
    await gateway.drain();
    const words = sessions.farewell(this.#drainMs);
    line?.farewell(words);
    await sessions.drain(cut);
    await uplink?.close();
    await sessions.close();
    await line?.close();
    await gateway.close();
    credentials.close();
    await Promise.all([containers.close(), events.close()]);
    await runtime.close();
    await audit.close();
    await presence.release();
  }
}

/** Opens the door and says where it is, now and whenever another certificate takes over. */
async function open({ gateway, presence, certificate }: Parts, log: Logger): Promise<Place> {
  const place = await gateway.listen().catch(refuseStart);
  const { probes } = place;
  if (probes) log.info({ probes }, "answering probes");
  await presence.announce({ ...place, pin: certificate?.pin });
  certificate?.watch(async (pair) => {
    gateway.replaceCertificate(pair);
    await presence.announce({ ...place, pin: certificate.pin });
  });
  return place;
}

interface Own {
  audit: AuditLog;
  presence: Presence;
  token: string;
  certificate: Certificate | undefined;
  /** Absent without a server. */
  identity: Identity | undefined;
}

interface Parts {
  audit: AuditLog;
  engine: string;
  runtime: Runtime;
  containers: Containers;
  events: EventHistory;
  sessions: Sessions;
  credentials: Credentials;
  gateway: Front;
  presence: Presence;
  certificate: Certificate | undefined;
  uplink: Uplink | undefined;
  line: SessionsLine | undefined;
  stopMetrics: () => void;
}

async function build(options: AgentOptions, own: Own): Promise<Parts> {
  const { config, log, version } = options;
  const engine = config.docker_host || engineHost(options.env);
  const metrics = new Registry();
  const stopMetrics = processMetrics(metrics, version);
  const docker = createDockerRuntime({
    host: engine,
    stateDir: config.data_dir,
    log,
    ...(config.helper_image && { helperImage: config.helper_image }),
    ...(await engineTls(engine, config)),
  });
  const runtime = meteredRuntime(docker, metrics);
  const meter = new SessionMeter(metrics);
  const containers = watchEngine({ runtime, engine, node: config.node_name, log, stopping: options.stopping });
  const budget = new Budget(config.replay_budget);
  const host = await openHost({ shell: config.host_shell, user: config.host_shell_user }).catch(refuseStart);
  const hostShell = config.host_shell ? host.user : undefined;
  const software = `fairlead/${version}`;
  const sessions = new Sessions({
    runtime,
    host,
    containers,
    budget,
    software,
    audit: own.audit.record,
    meter,
    closedTo: (subject) => (cameThroughServer(subject) ? uplink?.closed : undefined),
    onFault: (err, session) => log.error({ ...session, err }, "a session broke"),
    limits: {
      sessions: config.max_sessions,
      sessionsPerContainer: config.max_sessions_per_container,
      connections: config.max_forwarded_connections,
      idle: config.session_idle_timeout,
      grace: config.grace,
    },
  });
  const credentials = openCredentials(config, own.token);
  const stats = new StatsSources({ runtime, containers });
  const events = new EventHistory(runtime);
  const { audit, presence, certificate, identity } = own;
  const uplink: Uplink | undefined =
    identity &&
    openUplink(
      { config, log, version },
      { identity, runtime, containers, stats, certificate, hostShell, line: () => line },
    );
  const passes =
    identity &&
    new Passes({
      sessions,
      verifier: new PassVerifier({ trusted: () => trustedBy(identity), pin: () => certificate?.pin }),
    });
  const gateway = await openGateway(options, {
    passes: config.direct ? passes : undefined,
    audit,
    credentials,
    containers,
    sessions,
    stats,
    events,
    metrics,
    tls: certificate?.pair,
    ...(uplink && { uplink: () => ({ uplink: uplink.status }) }),
    ...(hostShell !== undefined && { hostShellUser: hostShell }),
  });
  const line: SessionsLine | undefined =
    uplink &&
    passes &&
    new SessionsLine(uplink, { sessions, passes, gateway, budget, software, log, connected: () => uplink.hasten() });
  agentMetrics(metrics, { config, containers, sessions, meter, budget, audit, uplink, line });
  return {
    audit,
    engine,
    runtime,
    containers,
    events,
    sessions,
    credentials,
    gateway,
    presence,
    certificate,
    uplink,
    line,
    stopMetrics,
  };
}

function openAudit({ config, log, version }: AgentOptions): Promise<AuditLog> {
  return AuditLog.open({
    program: "agent",
    directory: config.log_directory,
    maxSize: config.audit_max_size,
    maxAge: config.audit_max_age,
    required: new Set(config.audit_required),
    version,
    onTrouble: (trouble) => log.warn({ audit: trouble }, AUDIT_TROUBLE),
  });
}

type Door = Omit<Parameters<typeof createGateway>[0], "config" | "log" | "uiDirectory" | "runtimeReady"> & {
  containers: Containers;
  tls: Certificate["pair"] | undefined;
};

async function openGateway(options: AgentOptions, { tls, ...door }: Door): Promise<Front> {
  const { config, log, uiDirectory } = options;
  return createGateway({
    ...door,
    log,
    uiDirectory,
    runtimeReady: () => door.containers.ready,
    config: {
      nodeName: config.node_name,
      version: options.version,
      metricsPublic: config.metrics_public,
      ...(config.apps_url && { appsUrl: config.apps_url }),
      ...doorConfig(config, { tls, localSocket: join(config.data_dir, SOCKET_FILE) }),
    },
  }).catch(refuseStart);
}

function refuseStart(error: unknown): never {
  throw new StartError(error instanceof Error ? error.message : String(error), { cause: error });
}
