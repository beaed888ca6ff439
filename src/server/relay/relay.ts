/** Brings the clients' channels to the agents: looks at each header, signs a grant for it, and joins channel to channel. */

import { randomBytes } from "node:crypto";
import type { Subject } from "../../auth/grant.ts";
import type { GrantSigner } from "../../auth/signed-grant.ts";
import { ChannelSocket } from "../../door/channel-socket.ts";
import { ChannelStream } from "../../door/channel-stream.ts";
import type { Budget } from "../../mux/budget.ts";
import type { Channel } from "../../mux/channel.ts";
import { CLOSE, type CloseInfo } from "../../mux/errors.ts";
import { Mux } from "../../mux/mux.ts";
import type { Transport } from "../../mux/transport.ts";
import { disabled, ERRORS, FairleadError } from "../../protocol/errors.ts";
import { json } from "../../protocol/json.ts";
import type { Opened } from "../../protocol/open.ts";
import type { ConnectBody, RelayedHeader } from "../../protocol/relayed.ts";
import type { Grant } from "../../protocol/rights.ts";
import { type Carried, join, type Junction } from "./junction.ts";
import { type Asker, Ledger, type RelayAudit } from "./ledger.ts";
import { type Messaging, RESERVED } from "./messaging.ts";
import { parseHeader } from "./header.ts";
import { checkOperation } from "./operations.ts";

/** A node that a caller may reach, and what he may do there. */
export interface Reach {
  id: string;
  name: string;
  grant: Grant;
  /** Takes nothing new. */
  disabled: boolean;
}

export interface RelayOptions {
  messaging: Messaging;
  signer: GrantSigner;
  /** The node with this name or id; undefined for one that does not exist and for one that is not the caller's to reach. */
  reach: (subject: Subject, node: string) => Promise<Reach | undefined>;
  /** Ends on all agents what this subject holds there: it was withdrawn. */
  withdraw: (subject: string) => void;
  audit: RelayAudit;
  budget: Budget;
  software: string;
}

/** Where a client came from. */
export interface Remote {
  address: string;
  door: string;
  /** The id of the HTTP request by which he came. */
  request?: string;
}

/** What this program itself opens for a subject. */
export interface OwnVisit {
  subject: Subject;
  /** Looks at the node that it leads to; throws what the subject is refused with. */
  meet: (node: Reach) => void;
}

interface Route {
  node: Reach;
  session: string;
  /** Opens a channel to the agent; call `start` on it in the same tick. */
  open(body: Uint8Array): Channel;
}

/** Channels that one subject may have open, over all its connections: fewer than one agent's line takes, so that nobody fills that alone. */
const MAX_CHANNELS = 768;
const NOTHING = new Uint8Array(0);
const SESSION_ID_BYTES = 12;
/** What a disabled node has begun before goes on; what is asked of its HTTP side is looked at there. */
const GOES_ON: ReadonlySet<string> = new Set(["resume", "dial", "http"]);
/** What clients get to read the last words of what is withdrawn, in milliseconds. */
const LAST_WORDS_MS = 1_000;

export class Relay {
  readonly #options: RelayOptions;
  readonly #ledger: Ledger;
  readonly #muxes = new Set<Mux>();
  /** Open channels by subject. */
  readonly #channels = new Map<string, number>();
  /** That are open, and what those that are not have carried. */
  readonly #ways = new Set<Pick<Junction, "carried">>();
  readonly #carried: Carried = { in: 0, out: 0 };

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#ledger = new Ledger(options.audit);
  }

  /** Serves every channel that the client opens, until its connection ends or its access is withdrawn. */
  serve(transport: Transport, subject: Subject, remote: Remote): void {
    const { software, budget } = this.#options;
    const client = clientOf(subject, remote);
    const accept = (channel: Channel) => void this.#accept(channel, client);
    const mux = new Mux(transport, { role: "listener", software, budget, accept });
    const { revoked } = subject;
    const withdraw = () => this.#withdraw(mux, subject);
    this.#muxes.add(mux);
    revoked.addEventListener("abort", withdraw, { once: true });
    void mux.closed.then(() => {
      this.#muxes.delete(mux);
      revoked.removeEventListener("abort", withdraw);
    });
    if (revoked.aborted) withdraw();
  }

  /**
   * A connection to the HTTP side of a node's agent, in the name of this subject, for a request that changes nothing, or for
   * one that may. Throws what he is refused with.
   */
  async connect(subject: Subject, node: string, purpose: "look" | "act"): Promise<ChannelStream> {
    const route = await this.#route(subject, { op: "http", node });
    if (route.node.disabled && purpose === "act") throw disabled(route.node.name);
    const leave = this.#enter(subject.grant.subject);
    const stream = new ChannelStream(route.open(NOTHING));
    stream.once("close", leave);
    return stream;
  }

  /** One channel that was opened inside this program, in the name of this subject. */
  accept(channel: Channel, { subject, meet }: OwnVisit, remote: Remote): void {
    void this.#accept(channel, clientOf(subject, remote), meet);
  }

  /** A connection to the port of a `proxy` session that this subject has open there. Throws what he is refused with. */
  async dial(
    { subject, meet }: OwnVisit,
    node: string,
    { session, secret }: Pick<Opened, "session" | "secret">,
  ): Promise<ChannelSocket> {
    const route = await this.#route(subject, { op: "connect", node, session }, meet);
    const leave = this.#enter(subject.grant.subject);
    const socket = new ChannelSocket(route.open(json({ secret } satisfies ConnectBody)));
    const entry = this.#ledger.connection(session);
    const counted = this.#count(socket);
    socket.once("close", () => {
      leave();
      counted();
      entry.closed({ code: CLOSE.normal, reason: "" }, socket.carried);
    });
    return socket;
  }

  /** Clients that are connected, the channels that are open for them, and the bytes of messages up to now. */
  get traffic(): Carried & { clients: number; channels: number } {
    const all = { ...this.#carried, clients: this.#muxes.size, channels: this.#ways.size };
    for (const { carried } of this.#ways) {
      all.in += carried.in;
      all.out += carried.out;
    }
    return all;
  }

  /** Tells every client to come again, and cuts them. Kept sessions wait on their agents. Idempotent. */
  close(): void {
    for (const mux of this.#muxes) mux.close(ERRORS["shutting-down"].close, "the server is shutting down");
  }

  async #accept(channel: Channel, client: Asker, meet?: OwnVisit["meet"]): Promise<void> {
    try {
      await this.#open(channel, client, meet);
    } catch (error) {
      const refusal =
        error instanceof FairleadError ? error : new FairleadError("internal", String(error), { cause: error });
      this.#ledger.refused({ ...client, header: channel.request.header, refusal });
      channel.start({ message() {}, credit() {}, ack() {}, reply() {}, close() {} });
      channel.reply(json({ ...refusal.problem(), ...(client.request !== undefined && { request: client.request }) }));
      channel.close(CLOSE.normal, refusal.code);
    }
  }

  /** Throws what the client is refused with. */
  async #open(channel: Channel, client: Asker, meet?: OwnVisit["meet"]): Promise<void> {
    const { subject } = client;
    const header = parseHeader(channel.request);
    const route = await this.#route(subject, header, meet);
    if (!channel.open) return;
    const leave = this.#enter(subject.grant.subject);
    const junction = join(channel, route.open(channel.request.body));
    const counted = this.#count(junction);
    const { session, node } = route;
    const entry = this.#ledger.opened({ ...client, header, session, node: node.name });
    void junction.closed.then((info: CloseInfo) => {
      leave();
      counted();
      entry.closed(info, junction.carried);
    });
  }

  /** What it carries is in the figures; the returned function says that it is over. */
  #count(way: Pick<Junction, "carried">): () => void {
    this.#ways.add(way);
    return () => {
      this.#ways.delete(way);
      this.#carried.in += way.carried.in;
      this.#carried.out += way.carried.out;
    };
  }

  /** Where a request goes. Throws what it is refused with. */
  async #route(subject: Subject, header: RelayedHeader, meet?: OwnVisit["meet"]): Promise<Route> {
    const { reach, messaging, signer } = this.#options;
    if (subject.revoked.aborted) throw new FairleadError("revoked", "Your access was withdrawn.");
    const node = await reach(subject, header.node);
    if (!node) throw new FairleadError("not-found", `There is no node "${header.node}", or none that you may use.`);
    const { id: agent, name, grant } = node;
    meet?.(node);
    checkOperation(header.op, grant);
    if (node.disabled && !GOES_ON.has(header.op)) throw disabled(name);
    const holder = await messaging.find(agent);
    if (!holder) throw new FairleadError("agent-away", `The agent of ${name} is not connected to the server now.`);
    if (holder.room <= RESERVED) throw new FairleadError("too-many", `The agent of ${name} carries as much as it can.`);
    const session = header.op === "resume" ? (header.session ?? "") : randomBytes(SESSION_ID_BYTES).toString("hex");
    const open = (body: Uint8Array) =>
      holder.open({ header: json({ grant: signer.sign({ agent, grant, session, header, body }) }), body });
    return { node, session, open };
  }

  /** One more channel of this subject; the returned function says that it is over. */
  #enter(subject: string): () => void {
    const count = this.#channels.get(subject) ?? 0;
    if (count >= MAX_CHANNELS)
      throw new FairleadError(
        "too-many",
        `You have ${MAX_CHANNELS} channels open through this server; close some first.`,
      );
    this.#channels.set(subject, count + 1);
    return () => {
      const left = (this.#channels.get(subject) ?? 1) - 1;
      if (left > 0) this.#channels.set(subject, left);
      else this.#channels.delete(subject);
    };
  }

  /** The agents end the sessions, which have their last words; then the connection goes. */
  #withdraw(mux: Mux, { grant }: Subject): void {
    this.#options.withdraw(grant.subject);
    setTimeout(() => mux.close(ERRORS.revoked.close, "access was withdrawn"), LAST_WORDS_MS);
  }
}

function clientOf(subject: Subject, { address, door, request }: Remote): Asker {
  return { subject, remote: `${address} ${door}`, ...(request !== undefined && { request }) };
}
