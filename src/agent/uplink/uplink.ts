/** The phone line to the server: keeps this host registered and reported, for as long as the agent lives. */

import { disabled, FairleadError } from "../../protocol/errors.ts";
import { type Beat, type DirectDoor, MAX_CONTAINERS, type NodeFacts, type NodeSettings } from "../../protocol/node.ts";
import type { Line } from "./call.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Identity } from "./identity.ts";
import { GpuMeter } from "./metrics/gpu.ts";
import { HostMeter, type HostMeterOptions, type HostMetrics, memory } from "./metrics/host.ts";
import { Registrar } from "./register.ts";
import { Sampler } from "./sampler.ts";
import { ServerAgent } from "./secure.ts";

export interface UplinkLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface UplinkOptions extends HostMeterOptions {
  /** `http`, `https`, `ws` or `wss`. */
  url: string;
  identity: Identity;
  log: UplinkLog;
  /** The one-time token, as it is now. */
  token: () => Promise<string | undefined>;
  /** Of this host, and of the address at which its own door is open. */
  facts: (url: string) => Promise<NodeFacts>;
  /** Where others can dial this agent, whose own door is open at that address. */
  door: (url: string) => Promise<DirectDoor | undefined>;
  /** The engine's side of a report: waits for nothing. */
  engine: () => Pick<Beat, "engineReady" | "containersRunning">;
  /** What the containers use. */
  containers: () => Promise<NonNullable<Beat["containers"]>>;
  /** How the connection stands that carries sessions, where there is one. */
  gateway?: () => Pick<Beat, "gatewayStatus" | "gatewayStatusDetail">;
  /** Hears of what the server wants when that changes. */
  settled?: (settings: NodeSettings) => void;
}

/** As `/readyz` tells those who may know. */
export interface UplinkStatus {
  server: string;
  state: "connecting" | "connected" | "refused";
  detail?: string;
}

/** Between the first two looks at the host, in milliseconds: rates need two. */
const FIRST_MS = 1_000;
/** After these it is up to people. */
const REFUSALS: ReadonlySet<string> = new Set([
  "unauthenticated",
  "unknown-node",
  "revoked",
  "cloned-identity",
  "clock-skew",
  "wrong-host",
  "wrong-key",
  "untrusted",
  "bad-request",
]);

interface Samples {
  host: Sampler<HostMetrics>;
  gpus: Sampler<Beat["gpus"]>;
  containers: Sampler<Beat["containers"]>;
  door: Sampler<DirectDoor | undefined>;
}

export class Uplink {
  readonly identity: Identity;
  readonly server: Line["server"];
  #settings: NodeSettings | undefined;
  #status: UplinkStatus;
  readonly #options: UplinkOptions;
  readonly #life = new AbortController();
  readonly #agent: ServerAgent;
  #heartbeat: Heartbeat | undefined;
  #done: Promise<void> = Promise.resolve();

  /** Calls nobody yet. */
  constructor(options: UplinkOptions) {
    this.#options = options;
    const { identity } = options;
    const url = new URL(options.url.replace(/^ws/, "http"));
    this.server = {
      url,
      get pin() {
        return identity.pin;
      },
      get key() {
        return identity.serverKey;
      },
      adopt: async (pin) => {
        await identity.adopt(pin);
        options.log.warn({ server: url.origin, pin }, "the server has proved that its new certificate is its own");
      },
    };
    this.identity = identity;
    this.#agent = new ServerAgent(this.server);
    this.#status = { server: url.origin, state: "connecting" };
  }

  get status(): UplinkStatus {
    return this.#status;
  }

  /** What the server wants, once it has said so. */
  get settings(): NodeSettings | undefined {
    return this.#settings;
  }

  /** Why this host takes nothing new from its server, if the server wants it so. */
  get closed(): FairleadError | undefined {
    const { registered } = this.identity;
    return registered && this.#settings?.enabled === false ? disabled(registered.name) : undefined;
  }

  /** Goes on until `close`; calls nobody where everybody could listen. `url` is where this agent's own door is open. */
  start(url: string): void {
    const eavesdropped = refusePlaintext(this.server.url);
    if (eavesdropped) return this.#reported(eavesdropped);
    const { token, facts } = this.#options;
    const { signal } = this.#life;
    const line = { server: this.server, agent: this.#agent, signal };
    const registrar = new Registrar({ line, identity: this.identity, facts: () => facts(url), token });
    const samples = this.#sample(url, signal);
    this.#heartbeat = new Heartbeat({
      registrar,
      beat: () => this.#beat(samples),
      settled: (settings) => this.#settled(settings),
      reported: (failure) => this.#reported(failure),
      keyIsOld: ({ keyInterval }) => Date.now() - this.identity.keyMade > keyInterval,
    });
    this.#done = this.#heartbeat.run(signal);
  }

  /** What is reported has changed: the server is told soon. */
  hasten(): void {
    this.#heartbeat?.hasten();
  }

  #sample(url: string, signal: AbortSignal): Samples {
    const every = () => this.#settings?.heartbeatInterval ?? FIRST_MS;
    const meters = { host: new HostMeter(this.#options), gpu: new GpuMeter() };
    const gpus = async () => (this.#settings?.gpuMetrics === false ? undefined : meters.gpu.look());
    const containers = async () => (this.#settings?.containerMetrics === false ? undefined : this.#containers());
    return {
      host: new Sampler({ look: () => meters.host.look(), every, signal }),
      gpus: new Sampler({ look: gpus, every, signal }),
      containers: new Sampler({ look: containers, every, signal }),
      door: new Sampler({ look: () => this.#options.door(url), every, signal }),
    };
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#life.abort();
    this.#agent.destroy();
    await this.#done;
  }

  /** An engine that is away tells nothing. */
  async #containers(): Promise<Beat["containers"]> {
    const all = await this.#options.containers().catch(() => undefined);
    return all?.slice(0, MAX_CONTAINERS);
  }

  #beat({ host, gpus: { latest: gpus }, containers: { latest: containers }, door: { latest: direct } }: Samples): Beat {
    const { engine, gateway } = this.#options;
    return {
      ...(host.latest ?? memory()),
      ...engine(),
      ...(containers && { containers }),
      ...(gpus && { gpus }),
      ...(direct && { direct }),
      ...gateway?.(),
    };
  }

  #settled(settings: NodeSettings): void {
    const changed = JSON.stringify(settings) !== JSON.stringify(this.#settings);
    this.#settings = settings;
    if (!changed) return;
    this.#options.log.info({ settings }, "the server's settings hold from now on");
    this.#options.settled?.(settings);
  }

  /** Each state is logged once, however often it is found again. */
  #reported(failure: FairleadError | undefined): void {
    const { origin: server } = this.server.url;
    const { log } = this.#options;
    const before = this.#status;
    if (!failure) {
      this.#status = { server, state: "connected" };
      if (before.state !== "connected")
        log.info({ server, name: this.identity.registered?.name }, "connected to the server");
      return;
    }
    const state = REFUSALS.has(failure.code) ? "refused" : "connecting";
    this.#status = { server, state, detail: failure.message };
    if (before.detail !== failure.message) log.warn({ server, code: failure.code }, failure.message);
  }
}

/** Without TLS only a server on this machine is talked to: the token would be anybody's. */
function refusePlaintext({ protocol, hostname, origin }: URL): FairleadError | undefined {
  if (protocol === "https:" || /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)) return undefined;
  return new FairleadError(
    "bad-request",
    `The server ${origin} is not asked: without encryption anybody on the way could read this host's token. This agent serves its own host alone until server_url begins with https; the token that the server prints carries the pin of its certificate.`,
  );
}
