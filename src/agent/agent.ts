/** The agent, put together: its machine, its sessions, its way to a server and its door. */

import { join } from "node:path";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import type { AuditLog } from "../audit/audit-log.ts";
import { openAudit } from "../audit/settings.ts";
import type { Credentials } from "../auth/credentials.ts";
import { Presence } from "../boot/presence.ts";
import { refuseStart } from "../boot/run.ts";
import { StateDirectory } from "../boot/state.ts";
import type { Front } from "../door/front.ts";
import { doorConfig } from "../door/settings.ts";
import { Budget } from "../mux/budget.ts";
import type { Certificate } from "../door/certificate/certificate.ts";
import { openCertificate } from "../door/certificate/choice.ts";
import { localToken, openCredentials, tokenFile } from "./access.ts";
import type { AgentConfig } from "./config.ts";
import { type Elsewhere, elsewhere } from "./elsewhere.ts";
import { openPasses, openUplink } from "./fleet.ts";
import { type Machine, openMachine } from "./machine.ts";
import { type GrantsWatchOptions, watchGrants } from "./grants-watch.ts";
import { createGateway } from "./gateway/gateway.ts";
import type { Place } from "../door/places.ts";
import { processMetrics } from "../door/process-metrics.ts";
import { agentMetrics } from "./metrics/metrics.ts";
import { SessionMeter } from "./metrics/sessions.ts";
import type { Passes } from "./session/passes.ts";
import { cameThroughServer } from "./session/relayed.ts";
import { Sessions } from "./session/sessions.ts";
import { SessionsLine } from "./sessions-line.ts";
import { Identity } from "./uplink/identity.ts";
import type { Uplink } from "./uplink/uplink.ts";

export interface AgentOptions {
  config: AgentConfig;
  /** The same, as it is now. */
  reread: GrantsWatchOptions["reread"];
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
    const own = await openOwn(options);
    try {
      return await Agent.#start(options, own);
    } catch (error) {
      // The next start must not take this one for a crash.
      await own.audit.close();
      throw error;
    }
  }

  static async #start(options: AgentOptions, own: Own): Promise<Agent> {
    const { config, stopping } = options;
    const parts = await build(options, own);
    if (config.require_runtime) await parts.runtime.info(stopping);
    // Whoever comes first is not told that the engine has not answered yet.
    await parts.containers.whenHeard(AbortSignal.any([stopping, AbortSignal.timeout(FIRST_WORD_MS)]));
    const { url } = await open(parts, options.log);
    parts.uplink?.start(url);
    const issuer = parts.credentials.tokens.verify(parts.token);
    if (!issuer) throw new Error("the agent does not know its own token");
    return new Agent(parts, { url, code: parts.credentials.codes.issue(issuer).code, config });
  }

  /** Takes no new work and waits for what is open; once `cut` aborts it waits for nobody, and leaves no process behind. */
  async close(cut: AbortSignal): Promise<void> {
    const { audit, gateway, sessions, credentials, containers, events, runtime } = this.#parts;
    const { presence, certificate, uplink, line, stopMetrics, stopGrants } = this.#parts;
    stopGrants();
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
  const announce = () => presence.announce({ ...place, pin: certificate?.pin }, troubleOf(place, log));
  await announce();
  certificate?.watch(async (pair) => {
    gateway.replaceCertificate(pair);
    await announce();
  });
  return place;
}

/** Somebody may need a shell just because the disk is full. */
function troubleOf({ url }: Place, log: Logger): (reason: string | undefined) => void {
  return (reason) => {
    if (reason === undefined) log.info("the state directory can be written again");
    else
      log.warn(
        { reason, url },
        "the state directory cannot be written: until it can, ctl on this machine needs --server and --token-file, and no key, certificate or registration is made or renewed",
      );
  };
}

/** What this agent has of its own, on the disk. */
interface Own {
  presence: Presence;
  /** Of this machine's owner. */
  token: string;
  /** Absent without a server. */
  identity: Identity | undefined;
  certificate: Certificate | undefined;
  audit: AuditLog;
}

async function openOwn({ config, log, version, pid }: AgentOptions): Promise<Own> {
  const state = await StateDirectory.open(config.data_dir);
  const presence = await Presence.claim(state, { program: "agent", pid });
  const token = await localToken(state);
  const identity = config.server_url === "" ? undefined : await Identity.open(state).catch(refuseStart);
  const certificate = await openCertificate(config, { holder: config.node_name, state, log }).catch(refuseStart);
  const required = new Set<string>(config.audit_required);
  const audit = await openAudit(config, { program: "agent", version, required, log }).catch(refuseStart);
  return { presence, token, identity, certificate, audit };
}

/** Where sessions are, and what they share. */
interface Desk {
  sessions: Sessions;
  budget: Budget;
  meter: SessionMeter;
}

interface Parts extends Own, Machine, Desk {
  credentials: Credentials;
  gateway: Front;
  /** What leads to the server; absent without one. */
  uplink: Uplink | undefined;
  line: SessionsLine | undefined;
  stopGrants: () => void;
  stopMetrics: () => void;
}

async function build(options: AgentOptions, own: Own): Promise<Parts> {
  const { config, log, version } = options;
  const { identity, certificate, audit } = own;
  const metrics = new Registry();
  const stopMetrics = processMetrics(metrics, version);
  const machine = await openMachine(options, metrics);
  const meter = new SessionMeter(metrics);
  const desk = openDesk(options, { machine, meter, audit, uplink: () => uplink });
  const { sessions, budget } = desk;
  const uplink: Uplink | undefined =
    identity && openUplink({ config, log, version }, { ...machine, identity, certificate, line: () => line });
  const passes = identity && openPasses(identity, { sessions, pin: () => certificate?.pin });
  const credentials = openCredentials(config, own.token);
  const stopGrants = watchGrants({ ...options, tokens: credentials.tokens, grants: config.grants });
  const gateway = await openGateway(options, { own, machine, sessions, credentials, metrics, passes, uplink });
  const connected = () => uplink?.hasten();
  const line: SessionsLine | undefined =
    uplink &&
    passes &&
    new SessionsLine(uplink, { sessions, passes, gateway, budget, software: softwareOf(options), log, connected });
  agentMetrics(metrics, { config, ...machine, ...desk, audit, uplink, line });
  return { ...own, ...machine, ...desk, credentials, gateway, uplink, line, stopGrants, stopMetrics };
}

interface DeskParts {
  machine: Machine;
  meter: SessionMeter;
  audit: AuditLog;
  /** Known later, and asked for each session that came through the server. */
  uplink: () => Uplink | undefined;
}

function openDesk(options: AgentOptions, { machine, meter, audit, uplink }: DeskParts): Desk {
  const { config, log } = options;
  const { runtime, host, containers } = machine;
  const budget = new Budget(config.replay_budget);
  const sessions = new Sessions({
    runtime,
    host,
    containers,
    budget,
    software: softwareOf(options),
    audit: audit.record,
    meter,
    closedTo: (subject) => (cameThroughServer(subject) ? uplink()?.closed : undefined),
    onFault: (err, session) => log.error({ ...session, err }, "a session broke"),
    limits: {
      sessions: config.max_sessions,
      sessionsPerContainer: config.max_sessions_per_container,
      connections: config.max_forwarded_connections,
      idle: config.session_idle_timeout,
      grace: config.grace,
    },
  });
  return { sessions, budget, meter };
}

interface DoorParts {
  own: Own;
  machine: Machine;
  sessions: Sessions;
  credentials: Credentials;
  metrics: Registry;
  passes: Passes | undefined;
  uplink: Uplink | undefined;
}

function openGateway(options: AgentOptions, parts: DoorParts): Promise<Front> {
  const { config, log, uiDirectory, version } = options;
  const { own, machine, sessions, credentials, metrics, passes, uplink } = parts;
  const { containers, stats, events, hostShell } = machine;
  return createGateway({
    sessions,
    containers,
    stats,
    events,
    credentials,
    metrics,
    log,
    uiDirectory,
    audit: own.audit,
    passes: config.direct ? passes : undefined,
    runtimeReady: () => containers.ready,
    ...(uplink && { uplink: () => ({ uplink: uplink.status }) }),
    ...(hostShell !== undefined && { hostShellUser: hostShell }),
    config: {
      nodeName: config.node_name,
      version,
      metricsPublic: config.metrics_public,
      ...(config.apps_url && { appsUrl: config.apps_url }),
      ...doorConfig(config, { tls: own.certificate?.pair, localSocket: join(config.data_dir, SOCKET_FILE) }),
    },
  }).catch(refuseStart);
}

/** As the other end of a connection is told. */
function softwareOf({ version }: AgentOptions): string {
  return `fairlead/${version}`;
}
