/** The desk: every session of the agent, whatever door it came through, is opened, served and ended by way of this. */

import type { Duplex } from "node:stream";
import type { Audit } from "../../audit/audit-log.ts";
import type { Subject } from "../../auth/grant.ts";
import { aborted } from "../../lib/wait.ts";
import type { Budget } from "../../mux/budget.ts";
import type { Channel } from "../../mux/channel.ts";
import { CLOSE } from "../../mux/errors.ts";
import type { GoAway } from "../../mux/frame.ts";
import type { Transport } from "../../mux/transport.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { json } from "../../protocol/json.ts";
import type { Opened } from "../../protocol/open.ts";
import type { Container, Host, Runtime } from "../runtime/runtime.ts";
import { type Asked, askedFor, Trail } from "./audit.ts";
import { Connections } from "./connections.ts";
import type { Containers } from "./containers.ts";
import { type DirectRequest, DirectSession } from "../../client/direct.ts";
import { toFairleadError } from "./failure.ts";
import { Lifecycle, type LifecycleRequest } from "./lifecycle.ts";
import type { SessionLimits } from "./limits.ts";
import { gone, LiveSessions } from "./live-sessions.ts";
import { LogStreams } from "./log-streams.ts";
import type { Meter } from "./meter.ts";
import { openingOf } from "./open.ts";
import type { Visitor } from "./purpose.ts";
import { type Arrival, Reception, type ReceptionParts } from "./reception.ts";
import type { Moved, Session } from "./session.ts";

export interface SessionsOptions {
  runtime: Runtime;
  host: Host;
  containers: Containers;
  limits: SessionLimits;
  budget: Budget;
  audit: Audit;
  software: string;
  meter?: Meter;
  /** Why nothing new may be begun for this subject now, if so; what he has open goes on. */
  closedTo?: (subject: Subject) => FairleadError | undefined;
  onFault?: ReceptionParts["onFault"];
}

/** Where a visitor came from: an address, and by which door. */
export interface Remote {
  address: string;
  door: string;
  /** The id of the HTTP request by which he came. */
  request?: string;
}

export interface DirectVisit {
  subject: Subject;
  remote: Remote;
  /** Aborted when the client does not wait for the answer any more. */
  signal: AbortSignal;
}

/** Nothing runs in a container that is so. */
const STOPPED = new Set<string>(["created", "exited", "dead", "removing"]);
const LEAVING = "the agent is shutting down";

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #trail: Trail;
  readonly #live: LiveSessions;
  readonly #reception: Reception;
  readonly #connections: Connections;
  readonly #lifecycle: Lifecycle;

  constructor(options: SessionsOptions) {
    const { audit, runtime, limits, meter } = options;
    const trail = new Trail(audit, meter);
    const live = new LiveSessions(options);
    const streams = new LogStreams(runtime);
    this.#options = options;
    this.#trail = trail;
    this.#live = live;
    this.#reception = new Reception({ ...options, live, trail, streams, grace: limits.grace });
    this.#connections = new Connections({
      ...options,
      receive: (channel, visitor) => this.receive({ channel, request: channel.request, visitor }),
      ending: (subject) => live.ending(subject),
    });
    this.#lifecycle = new Lifecycle(options, trail);
  }

  /** Serves every channel that the other side opens, until the connection ends or the visitor's access is withdrawn. */
  serve(transport: Transport, subject: Subject, remote: Remote): void {
    this.#connections.serve(transport, visitorOf(subject, remote));
  }

  /** Opens or resumes what is asked for, or says on the channel why not. */
  receive(arrival: Arrival): void {
    this.#reception.receive(arrival);
  }

  /** Says on the channel why not. */
  refuse(arrival: Arrival, refusal: FairleadError): void {
    this.#reception.refuse(arrival, refusal);
  }

  /** One session for a client that speaks another protocol: the door speaks for it. Rejects with the refusal. */
  open(request: DirectRequest, { subject, remote, signal }: DirectVisit): Promise<DirectSession> {
    const visitor = visitorOf(subject, remote);
    const accept = (channel: Channel) => this.receive({ channel, request: channel.request, visitor });
    return DirectSession.open(request, { budget: this.#options.budget, accept }, signal);
  }

  /** The container; rejects with what `open` would be refused with, as far as that can be told without starting anything. */
  async check(request: DirectRequest, { subject, remote, signal }: DirectVisit): Promise<Container> {
    const asked = askedFor(json(request.header));
    return this.#admit(asked, visitorOf(subject, remote), () => this.#check(request, subject, signal));
  }

  /** Starts, stops, restarts or removes a container, and gives what it was. What has begun goes on without its client. */
  async control(request: LifecycleRequest, { subject, remote }: DirectVisit): Promise<Container> {
    const visitor = visitorOf(subject, remote);
    const { reference, order } = request;
    const admitted = await this.#admit({ kind: order.kind, reference }, visitor, async () => {
      this.#reception.checkNew(subject);
      return this.#lifecycle.admit(reference, subject.grant);
    });
    await this.#lifecycle.carryOut(order, admitted, visitor);
    return admitted.container;
  }

  /**
   * A connection to the port of an open `proxy` session, which it ends with; also of a container that took over the
   * name since. By default it is whoever opened the session that asks. Rejects when that is not to be had, or may not be
   * used any more.
   */
  async connect({ session: id, secret }: Pick<Opened, "session" | "secret">, asker?: Subject): Promise<Duplex> {
    const { runtime, containers } = this.#options;
    const session = this.#live.find(id, secret);
    const { kind, right, reference, ports } = session.purpose;
    const [port] = ports ?? [];
    const { subject } = session.visitor;
    const { grant } = asker ?? subject;
    if (kind !== "proxy" || port === undefined || grant.subject !== subject.grant.subject) throw gone();
    return this.#live.carry(session, async () => {
      const container = await containers.find(reference, { grant, right });
      return runtime.dial(container.id, port, session.signal);
    });
  }

  /** Live sessions by kind. */
  counts(): Record<string, number> {
    return this.#live.counts();
  }

  /** Connections of clients that carry channels, those channels, and TCP connections of forwards and proxied ports. */
  get traffic(): { clients: number; channels: number; connections: number } {
    const { size: clients, channels } = this.#connections;
    return { clients, channels, connections: this.#live.connections };
  }

  /** Up to now, by a session and its connections. */
  moved(session: Session): Moved {
    return this.#live.moved(session);
  }

  /** Who holds sessions here, by name. */
  subjects(): Set<string> {
    return new Set(this.#live.all().map(({ visitor }) => visitor.subject.grant.subject));
  }

  /** Ends everything that the subject of this name has open, also what waits for it. Resolves when nothing of it is left. */
  withdraw(name: string): Promise<void> {
    return this.#live.withdraw(({ grant }) => grant.subject === name);
  }

  /** Accepts nothing new and tells the clients how long they have; gives the words, for those who came another way. */
  farewell(deadlineMs: number): GoAway {
    const words = { code: CLOSE.goingAway, reason: LEAVING, deadline: deadlineMs };
    this.#reception.close();
    this.#connections.goAway(words);
    return words;
  }

  /** After the farewell: waits until all sessions have ended, or the signal cuts that short. */
  async drain(signal: AbortSignal): Promise<void> {
    const over = this.#live.all().map((session) => session.closed);
    await Promise.race([aborted(signal), Promise.all([...over, this.#lifecycle.idle()])]);
  }

  /** Ends everything: processes first, then the connections. Idempotent. */
  async close(): Promise<void> {
    this.#reception.close();
    await this.#lifecycle.close();
    await this.#live.close(new FairleadError("shutting-down", "The agent is shutting down."));
    this.#connections.close(LEAVING);
    this.#trail.close();
  }

  /** A failure of this is a refusal, and written down as one. */
  async #admit<T>(asked: Asked, visitor: Visitor, admission: () => Promise<T>): Promise<T> {
    try {
      return await admission();
    } catch (error) {
      const refusal = toFairleadError(error);
      this.#trail.refused(visitor, asked, refusal);
      throw refusal;
    }
  }

  async #check({ header, body }: DirectRequest, subject: Subject, signal: AbortSignal): Promise<Container> {
    const { runtime, containers } = this.#options;
    this.#reception.checkNew(subject);
    const { right } = openingOf(header, json(body));
    const { id } = await containers.find(header.container ?? "", { grant: subject.grant, right });
    this.#live.checkRoom({ container: id, subject: subject.grant.subject });
    const container = await runtime.inspect(id, signal);
    const { name, state } = container;
    if (STOPPED.has(state))
      throw new FairleadError("not-running", `The container "${name}" is not running (${state}).`);
    return container;
  }
}

function visitorOf(subject: Subject, { address, door, request }: Remote): Visitor {
  return { subject, remote: `${address} ${door}`, ...(request !== undefined && { request }) };
}
