/** The server, put together: storage, people, hosts and the door; nothing is built anywhere else. */

import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { Registry } from "prom-client";
import type { AuditLog } from "../audit/audit-log.ts";
import { Refusals } from "../audit/refusals.ts";
import { openAudit } from "../audit/settings.ts";
import { Credentials } from "../auth/credentials.ts";
import type { Subject } from "../auth/grant.ts";
import type { SigningKey } from "../auth/keys.ts";
import { Presence } from "../boot/presence.ts";
import { refuseStart } from "../boot/run.ts";
import { StateDirectory } from "../boot/state.ts";
import type { Certificate } from "../door/certificate/certificate.ts";
import { openCertificate } from "../door/certificate/choice.ts";
import type { Front } from "../door/front.ts";
import { processMetrics } from "../door/process-metrics.ts";
import { doorConfig } from "../door/settings.ts";
import { FleetEvent } from "../protocol/events.ts";
import type { Grant } from "../protocol/rights.ts";
import type { ServerConfig } from "./config.ts";
import { History } from "./history/history.ts";
import { createServerFront } from "./http/front.ts";
import { relayCounts, serverMetrics } from "./metrics.ts";
import { BootstrapTokens } from "./nodes/bootstrap.ts";
import { openGrantKey } from "./nodes/grant-key.ts";
import { Nodes } from "./nodes/nodes.ts";
import { type OwnHost, welcomeOwnHost } from "./nodes/own-host.ts";
import { Registration } from "./nodes/registration.ts";
import { Devices } from "./people/devices.ts";
import { admitLogins, announce } from "./people/logins.ts";
import { ApiTokens } from "./people/tokens.ts";
import { AppSessions } from "./relay/app-sessions.ts";
import { Exchange } from "./relay/exchange.ts";
import { SqliteStorage } from "./store/sqlite.ts";
import type { Storage } from "./store/storage.ts";
import { tellTrouble } from "./store/trouble.ts";
import { Upkeep } from "./upkeep.ts";

export interface ServerOptions {
  config: ServerConfig;
  log: Logger;
  version: string;
  pid: number;
  /** The built page, where there is one. */
  uiDirectory?: string | undefined;
}

/** In the state directory. */
export const DATABASE_FILE = "server.db";
const TOKEN_FILE = "token";
const SOCKET_FILE = "server.sock";
const TOKEN_BYTES = 32;
/** A host's connection stays open from one report to the next, in milliseconds: a handshake costs more than many of them. */
const KEEP_ALIVE_MS = 60_000;
/** The owner of the machine, who can read the server's token file. */
const LOCAL: Grant = { subject: "local", rights: ["admin"], scopes: [] };

export class Server {
  readonly url: string;
  /** As others know it, as far as that can be told. */
  readonly address: string;
  /** Of the server's certificate, where it made that itself or was given one. */
  readonly pin: string | undefined;
  /** Lets the first administrator in, once; absent when somebody has a token already. */
  readonly code: string | undefined;
  readonly #parts: Parts;

  private constructor(parts: Parts, { url, address, code }: Pick<Server, "url" | "address" | "code">) {
    this.#parts = parts;
    this.url = url;
    this.address = address;
    this.pin = parts.certificate?.pin;
    this.code = code;
  }

  /** For whoever wants to check that every door is guarded. */
  get routes(): Front["routes"] {
    return this.#parts.front.routes;
  }

  /** Resolves when the door is open. Throws errors with words for people. */
  static async start(options: ServerOptions): Promise<Server> {
    const own = await openOwn(options);
    try {
      return await Server.#start(options, own);
    } catch (error) {
      // The next start must not take this one for a crash.
      await own.audit.close();
      throw error;
    }
  }

  static async #start(options: ServerOptions, own: Own): Promise<Server> {
    const { config } = options;
    const { storage, presence, certificate } = own;
    const parts = await build(options, own);
    const { url } = await parts.front.listen().catch(refuseStart);
    // Behind a proxy or in a container its own address is of no use to others.
    const address = config.public_urls[0]?.replace(/\/$/, "") ?? url.replace("localhost", hostname());
    const place = () => ({ url: address, ...(certificate && { pin: certificate.pin }) });
    const tell = () => parts.upkeep.finish("writing down where this server is met", () => announce(storage, place()));
    tell();
    await presence.announce({ url });
    certificate?.watch((pair) => {
      parts.front.replaceCertificate(pair);
      tell();
    });
    const { credentials, tokens, owner } = parts;
    const code = tokens.none ? credentials.codes.issue(owner).code : undefined;
    return new Server(parts, { url, address, code });
  }

  /** Takes no new work and cuts what is left: kept sessions wait on their agents, and go on the sooner the sooner the next server is there. */
  async close(): Promise<void> {
    const { front, credentials, certificate, storage, audit, presence, refusals } = this.#parts;
    const { life, upkeep, exchange, stopMetrics } = this.#parts;
    certificate?.close();
    stopMetrics();
    await front.drain();
    exchange.close();
    await front.close();
    life.abort();
    await upkeep.ended();
    credentials.close();
    refusals.close();
    await audit.close();
    await storage.close();
    await presence.release();
  }
}

/** What this server has of its own, on the disk. */
interface Own {
  storage: SqliteStorage;
  presence: Presence;
  audit: AuditLog;
  token: string;
  certificate: Certificate | undefined;
  key: SigningKey;
}

async function openOwn({ config, log, version, pid }: ServerOptions): Promise<Own> {
  const state = await StateDirectory.open(config.data_dir);
  const presence = await Presence.claim(state, { program: "server", pid });
  const token = await localToken(state);
  const certificate = await openCertificate(config, { holder: hostname(), state, log }).catch(refuseStart);
  // It holds keys: made so that its owner alone can read it.
  await state.create(DATABASE_FILE, "");
  const storage = SqliteStorage.open(join(state.path, DATABASE_FILE), tellTrouble(log));
  const key = await openGrantKey(storage, state);
  const audit = await openAudit(config, { program: "server", version, required: new Set(), log }).catch(refuseStart);
  return { storage, presence, audit, token, certificate, key };
}

interface Parts {
  storage: Storage;
  presence: Presence;
  audit: AuditLog;
  refusals: Refusals;
  credentials: Credentials;
  tokens: ApiTokens;
  /** Of the machine. */
  owner: Subject;
  front: Front;
  exchange: Exchange;
  certificate: Certificate | undefined;
  life: AbortController;
  upkeep: Upkeep;
  stopMetrics: () => void;
}

async function build(
  options: ServerOptions,
  { storage, presence, audit, token, certificate, key }: Own,
): Promise<Parts> {
  const { config, log, version, uiDirectory } = options;
  const credentials = new Credentials({ tokens: [{ grant: LOCAL, token }] });
  const owner = credentials.tokens.verify(token);
  if (!owner) throw new Error("the server does not know its own token");
  const tokens = await ApiTokens.open(storage, credentials.tokens);
  const events = new History(storage, { name: "events", schema: FleetEvent, keep: config.event_history });
  const nodes = await Nodes.open({ storage, events, defaults: defaults(config) });
  const pin = () => certificate?.pin;
  const bootstrap = new BootstrapTokens({ storage, lifetime: config.bootstrap_lifetime, pin });
  const metrics = new Registry();
  const stopMetrics = processMetrics(metrics, version);
  const count = relayCounts(metrics);
  const refusals = new Refusals(audit.record);
  const exchange = new Exchange({
    key,
    credentials,
    doorOf: (uid) => (nodes.live.isReady(uid) ? nodes.live.of(uid).beat : undefined),
    passes: { allowed: config.direct, offline: config.direct_offline },
    audit: (line) => {
      count(line);
      if (line.event === "refuse") refusals.note(line);
      else audit.append(line);
    },
    find: async (node) => {
      const record = await nodes.records.get(node);
      return record && { id: record.uid, disabled: !nodes.settingsOf(record).enabled };
    },
    software: `fairlead/${version}`,
  });
  const appDesk = new AppSessions(exchange);
  const shared = await ownHost(config).catch(refuseStart);
  const registration = new Registration({ nodes, tokens: bootstrap, grantKey: key, pin });
  serverMetrics(metrics, { nodes, registration, exchange, storage, path: join(config.data_dir, DATABASE_FILE) });
  const front = await createServerFront({
    config: {
      name: hostname(),
      version,
      metricsPublic: config.metrics_public,
      loginLifetime: config.login_lifetime,
      ...(config.apps_url && { appsUrl: config.apps_url }),
      ...doorConfig(config, {
        tls: certificate?.pair,
        localSocket: join(config.data_dir, SOCKET_FILE),
        keepAliveMs: KEEP_ALIVE_MS,
      }),
    },
    credentials,
    metrics,
    log,
    tokens,
    devices: new Devices(),
    nodes,
    bootstrap,
    registration,
    events,
    audit,
    exchange,
    appDesk,
    uiDirectory,
  }).catch(refuseStart);
  const life = new AbortController();
  const upkeep = new Upkeep(log, life.signal);
  nodes.watch(upkeep, (node) => appDesk.leave(node));
  tokens.watch(upkeep);
  events.watch(upkeep);
  admitLogins(storage, { codes: credentials.codes, issuer: owner }, upkeep);
  if (shared) upkeep.finish(`welcoming ${shared.name}`, welcomeOwnHost({ ...shared, nodes, bootstrap }));
  return {
    storage,
    presence,
    audit,
    refusals,
    credentials,
    tokens,
    owner,
    front,
    exchange,
    certificate,
    life,
    upkeep,
    stopMetrics,
  };
}

/** What the server shares with the agent of its own host, where there is one. */
async function ownHost(config: ServerConfig): Promise<OwnHost | undefined> {
  const { own_host: name, own_host_directory: path, bootstrap_lifetime: lifetime } = config;
  return name === "" ? undefined : { name, directory: await StateDirectory.open(path), lifetime };
}

function defaults(config: ServerConfig) {
  return {
    enabled: true,
    heartbeatInterval: config.heartbeat_interval,
    pollInterval: config.poll_interval,
    keyInterval: config.key_interval,
    containerMetrics: true,
    gpuMetrics: true,
  };
}

/** Made once; whoever can read it is the owner of the server. */
async function localToken(state: StateDirectory): Promise<string> {
  await state.create(TOKEN_FILE, `${randomBytes(TOKEN_BYTES).toString("base64url")}\n`);
  return ((await state.read(TOKEN_FILE)) ?? "").trim();
}
