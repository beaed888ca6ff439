/** Every session of the agent, whatever door it came through: opened, authorised, resumed, limited and ended here. */

import type { Audit } from "../../audit/audit-log.ts";
import type { Duplex } from "node:stream";
import { allows, type Subject } from "../../auth/grant.ts";
import { aborted } from "../../lib/wait.ts";
import type { Budget } from "../../mux/budget.ts";
import type { Channel, OpenRequest } from "../../mux/channel.ts";
import { Mux } from "../../mux/mux.ts";
import type { Transport } from "../../mux/transport.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { DialBody, type Opened, type OpenHeader, ResumeBody } from "../../protocol/open.ts";
import type { AuditLine } from "../../protocol/audit.ts";
import type { Container, Host, Runtime } from "../runtime/runtime.ts";
import { type Asked, askedFor, Trail } from "./audit.ts";
import { Carried } from "./carried.ts";
import type { Containers } from "./containers.ts";
import { type DirectRequest, DirectSession } from "./direct.ts";
import { serveConnection } from "./forward.ts";
import { checkConnections, checkSessions, type SessionLimits } from "./limits.ts";
import { Lifecycle, type LifecycleRequest } from "./lifecycle.ts";
import { LogStreams } from "./log-streams.ts";
import type { Meter } from "./meter.ts";
import { serveObserver } from "./observe.ts";
import { type Opening, openingOf, parseBody, parseHeader } from "./open.ts";
import { json, type Moved, type Serve, Session, type SessionSpec, toFairleadError, type Visitor } from "./session.ts";

export interface SessionsOptions {
  runtime: Runtime;
  host: Host;
  containers: Containers;
  limits: SessionLimits;
  budget: Budget;
  audit: Audit;
  software: string;
  meter?: Meter;
}

/** Where a visitor came from: an address, and by which door. */
export interface Remote {
  address: string;
  door: string;
}

/** Something that is asked for on a channel. */
export interface Arrival {
  channel: Channel;
  /** What was asked: the channel's own, unless that came in an envelope. */
  request: OpenRequest;
  visitor: Visitor;
  /** The id that a new session is to have; else one is made up. */
  session?: string;
}

export interface DirectVisit {
  subject: Subject;
  remote: Remote;
  /** Aborted when the client does not wait for the answer any more. */
  signal: AbortSignal;
}

/** Nothing runs in a container that is so. */
const STOPPED = new Set<string>(["created", "exited", "dead", "removing"]);
/** Kinds of session that print something. */
const OBSERVABLE = new Set(["exec", "attach", "logs", "shell"]);
/** Of the host itself; unlike a container nothing of it appears later. */
const NOTHING_FOR_YOU = new FairleadError(
  "not-found",
  "This host gives you no shell. Ask its owner for the right host-shell.",
);
/** How often idle sessions are looked for, in milliseconds. */
const IDLE_CHECK_MS = 15_000;
/** Nobody is waited for longer, in milliseconds. */
const MAX_GRACE_MS = 86_400_000;
/** What clients get to read the last words, in milliseconds. */
const LAST_WORDS_MS = 1_000;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #trail: Trail;
  readonly #sessions = new Map<string, Session>();
  readonly #muxes = new Set<Mux>();
  readonly #streams: LogStreams;
  readonly #lifecycle: Lifecycle;
  readonly #carried = new Carried();
  readonly #idleTimer: NodeJS.Timeout;
  #state: "open" | "draining" | "closed" = "open";

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#trail = new Trail(options.audit, options.meter);
    this.#streams = new LogStreams(options.runtime);
    this.#lifecycle = new Lifecycle(options, this.#trail);
    this.#idleTimer = setInterval(() => this.#endIdle(), IDLE_CHECK_MS).unref();
  }

  /** Serves every channel that the other side opens, until the connection ends or the visitor's access is withdrawn. */
  serve(transport: Transport, subject: Subject, remote: Remote): void {
    const { software, budget } = this.#options;
    const visitor = visitorOf(subject, remote);
    const accept = (channel: Channel) => this.receive({ channel, request: channel.request, visitor });
    const mux = new Mux(transport, { role: "listener", software, budget, accept });
    const { revoked } = subject;
    const withdraw = () => void this.#withdraw(mux, subject);
    this.#muxes.add(mux);
    revoked.addEventListener("abort", withdraw, { once: true });
    void mux.closed.then(() => {
      this.#muxes.delete(mux);
      revoked.removeEventListener("abort", withdraw);
    });
    if (revoked.aborted) withdraw();
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
    const container = await this.#admit({ kind: order.kind, reference }, visitor, async () => {
      this.#checkWelcome(subject);
      return this.#lifecycle.admit(reference, subject.grant);
    });
    await this.#lifecycle.carryOut(order, container, visitor);
    return container;
  }

  /**
   * A connection to the port of an open `proxy` session, which it ends with; also of a container that took over the
   * name since. Rejects when that is not to be had, or may not be used any more.
   */
  async connect({ session: id, secret }: Pick<Opened, "session" | "secret">): Promise<Duplex> {
    const { runtime, containers } = this.#options;
    const session = this.#find(id, secret);
    const { kind, right, reference, ports } = session.purpose;
    const [port] = ports ?? [];
    if (kind !== "proxy" || port === undefined) throw gone();
    const { grant } = session.visitor.subject;
    this.#checkConnections(session);
    const container = await containers.find(reference, { grant, right });
    const socket = await runtime.dial(container.id, port, session.signal);
    this.#carried.add(session, socket);
    return socket;
  }

  /** Live sessions by kind. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { purpose } of this.#sessions.values()) counts[purpose.kind] = (counts[purpose.kind] ?? 0) + 1;
    return counts;
  }

  /** Connections of clients that carry channels, those channels, and TCP connections of forwards and proxied ports. */
  get traffic(): { clients: number; channels: number; connections: number } {
    const channels = [...this.#muxes].reduce((all, mux) => all + mux.size, 0);
    return { clients: this.#muxes.size, channels, connections: this.#connections };
  }

  /** Up to now, by a session and its connections. */
  moved(session: Session): Moved {
    const { bytesIn, bytesOut } = this.#carried.moved(session);
    const parts = [session, ...session.children, { bytesIn, bytesOut }];
    return {
      bytesIn: parts.reduce((all, part) => all + part.bytesIn, 0),
      bytesOut: parts.reduce((all, part) => all + part.bytesOut, 0),
      connections: session.connections,
    };
  }

  /** Accepts nothing new, tells the clients, and waits until all sessions ended or the signal cuts the waiting short. */
  async drain(signal: AbortSignal): Promise<void> {
    this.#state = "draining";
    for (const mux of this.#muxes) mux.goAway({ code: 1001, reason: "the agent is shutting down", deadline: 0 });
    const over = [...this.#sessions.values()].map((session) => session.closed);
    await Promise.race([aborted(signal), Promise.all([...over, this.#lifecycle.idle()])]);
  }

  /** Ends everything: processes first, then the connections. Idempotent. */
  async close(): Promise<void> {
    this.#state = "closed";
    clearInterval(this.#idleTimer);
    await this.#lifecycle.close();
    const open = [...this.#sessions.values()];
    for (const session of open) session.end(new FairleadError("shutting-down", "the agent is shutting down"));
    await Promise.all(open.map((session) => Promise.race([session.worked, session.closed])));
    const listening = open.filter(({ attached }) => attached);
    await Promise.race([Promise.all(listening.map(({ closed }) => closed)), sleep(LAST_WORDS_MS)]);
    for (const session of open) session.close();
    for (const mux of this.#muxes) mux.close(1001, "the agent is shutting down");
    this.#trail.close();
  }

  /** Opens or resumes what is asked for, or says on the channel why not. */
  receive(arrival: Arrival): void {
    try {
      this.#enter(arrival);
    } catch (error) {
      const refusal = toFairleadError(error);
      if (refusal.code === "not-found" && refusal !== NOTHING_FOR_YOU) void this.#lookAgain(arrival);
      else this.refuse(arrival, refusal);
    }
  }

  /** Says on the channel why not. */
  refuse({ channel, request, visitor }: Arrival, refusal: FairleadError): void {
    this.#trail.refused(visitor, askedFor(request.header), refusal);
    channel.start({ message() {}, credit() {}, ack() {}, reply() {}, close() {} });
    channel.reply(json(refusal.problem()));
    channel.close(1000, refusal.code);
  }

  /** Who holds sessions here, by name. */
  subjects(): Set<string> {
    return new Set([...this.#sessions.values()].map(({ visitor }) => visitor.subject.grant.subject));
  }

  /** Ends everything that the subject of this name has open, also what waits for it. Resolves when nothing of it is left. */
  async withdraw(name: string): Promise<void> {
    const own = [...this.#sessions.values()].filter(({ visitor }) => visitor.subject.grant.subject === name);
    for (const session of own) session.end(withdrawn());
    await Promise.race([Promise.all(own.map(({ closed }) => closed)), sleep(LAST_WORDS_MS)]);
    for (const session of own) session.close();
  }

  /** A container that is unknown may have been made a moment ago; meanwhile the channel keeps what its client says. */
  async #lookAgain(arrival: Arrival): Promise<void> {
    try {
      await this.#options.containers.refresh();
      if (!arrival.channel.open) throw new FairleadError("client-gone", "the client did not wait for the answer");
      this.#enter(arrival);
    } catch (error) {
      this.refuse(arrival, toFairleadError(error));
    }
  }

  /** Throws what the client is refused with. */
  #enter(arrival: Arrival): void {
    this.#checkWelcome(arrival.visitor.subject);
    const header = parseHeader(arrival.request.header);
    if (header.op === "resume") this.#resume(arrival, header);
    else if (header.op === "dial") this.#dial(arrival, header);
    else if (header.op === "observe") this.#observe(arrival, header);
    else this.#open(arrival, header);
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

  #checkWelcome(subject: Subject): void {
    if (this.#state !== "open")
      throw new FairleadError("shutting-down", "the agent is shutting down; nothing new is accepted");
    if (subject.revoked.aborted) throw withdrawn();
  }

  async #check({ header, body }: DirectRequest, subject: Subject, signal: AbortSignal): Promise<Container> {
    const { runtime, containers, limits } = this.#options;
    this.#checkWelcome(subject);
    const { right } = openingOf(header, json(body));
    const { id } = await containers.find(header.container ?? "", { grant: subject.grant, right });
    checkSessions(this.#sessions.values(), id, limits);
    const container = await runtime.inspect(id, signal);
    const { name, state } = container;
    if (STOPPED.has(state)) throw new FairleadError("not-running", `the container "${name}" is not running (${state})`);
    return container;
  }

  #open({ channel, request, visitor, session: id }: Arrival, header: OpenHeader): void {
    const { runtime, host, containers, limits } = this.#options;
    const opening = openingOf(header, request.body);
    const { right, audit } = opening;
    const reference = header.container ?? "";
    const container = this.#place(opening, header, visitor);
    checkSessions(this.#sessions.values(), container?.id, limits);
    const onDrop = header.onDrop ?? opening.onDrop;
    const grace = onDrop === "kill" ? 0 : Math.min(header.grace ?? limits.grace, MAX_GRACE_MS);
    const purpose = { kind: header.op, right, reference, container, ports: audit.ports };
    const details = { ...audit, ...(opening.onHost && { user: host.user }) };
    const tools = {
      runtime,
      host,
      streams: this.#streams,
      engineReady: (signal: AbortSignal) => containers.whenReady(signal),
    };
    const session = this.#create({ ...purpose, visitor, onDrop, grace, channel, id });
    this.#run(session, details, (io) => opening.serve(io, container?.id ?? "", tools));
  }

  /** The container that the header names, or none for what is done on the host. Throws what the client is refused with. */
  #place({ onHost, right }: Opening, header: OpenHeader, { subject }: Visitor): Container | undefined {
    const { grant } = subject;
    if (!onHost) return this.#options.containers.resolve(header.container ?? "", { grant, right });
    if (header.container !== undefined) throw new FairleadError("bad-request", `"${header.op}" takes no container`);
    if (!allows(grant, right, {})) throw NOTHING_FOR_YOU;
    return undefined;
  }

  /** One TCP connection of a forward; the container is looked up again, so that a recreated one is found. */
  #dial({ channel, request, visitor, session: id }: Arrival, header: OpenHeader): void {
    const { runtime, containers } = this.#options;
    const { secret, port } = parseBody(DialBody, request.body);
    const parent = this.#find(header.session, secret);
    const { kind, right, reference, ports } = parent.purpose;
    if (kind !== "forward" || !ports?.includes(port))
      throw new FairleadError("bad-request", `this forward was not opened for port ${port}`);
    this.#checkConnections(parent);
    const container = containers.resolve(reference, { grant: visitor.subject.grant, right });
    const purpose = { kind: "connection", right, reference, container };
    const session = this.#create({ ...purpose, ...parent.fate, visitor, channel, id });
    parent.adopt(session);
    session.worked = session
      .run((io) => serveConnection(io, () => runtime.dial(container.id, port, session.signal)))
      .then(() => parent.release(session));
  }

  get #connections(): number {
    return (this.counts()["connection"] ?? 0) + this.#carried.size;
  }

  #checkConnections(session: Session): void {
    const { limits } = this.#options;
    const own = session.children.size + this.#carried.of(session);
    checkConnections({ own, all: this.#connections }, limits);
  }

  /** Whoever opened the session, or may do everything to its container, may watch it; nobody else learns that it exists. */
  #observe({ channel, visitor, session: id }: Arrival, header: OpenHeader): void {
    const observed = this.#sessions.get(header.session ?? "");
    const { grant } = visitor.subject;
    if (!observed) throw gone();
    const { limits } = this.#options;
    const { kind, right, container, reference } = observed.purpose;
    const labels = container?.labels ?? {};
    const own = observed.visitor.subject.grant.subject === grant.subject && allows(grant, right, labels);
    if (!OBSERVABLE.has(kind) || !(own || allows(grant, "admin", labels))) throw gone();
    checkSessions(this.#sessions.values(), container?.id, limits);
    const purpose = { kind: "observer", right, reference, container };
    const session = this.#create({ ...purpose, visitor, onDrop: "kill", grace: 0, channel, id });
    this.#run(session, {}, (io) => serveObserver(io, observed));
  }

  #resume({ channel, request, visitor }: Arrival, header: OpenHeader): void {
    const { secret, epoch, received } = parseBody(ResumeBody, request.body);
    const session = this.#find(header.session, secret);
    const { grant } = visitor.subject;
    const { right, container } = session.purpose;
    const labels = container ? (this.#options.containers.labels(container.id) ?? container.labels) : {};
    if (session.visitor.subject.grant.subject !== grant.subject || !allows(grant, right, labels)) throw gone();
    session.resume(channel, { epoch, received });
    this.#trail.resumed(session, visitor);
  }

  #create(spec: Omit<SessionSpec, "budget" | "meter">): Session {
    if (spec.id !== undefined && this.#sessions.has(spec.id))
      throw new FairleadError("bad-request", "there is a session of that name already");
    const { budget, meter } = this.#options;
    const session = new Session({ ...spec, budget, meter });
    const { revoked } = spec.visitor.subject;
    const withdraw = () => session.end(withdrawn());
    revoked.addEventListener("abort", withdraw, { once: true });
    this.#sessions.set(session.id, session);
    void session.closed.then(() => {
      revoked.removeEventListener("abort", withdraw);
      this.#sessions.delete(session.id);
    });
    return session;
  }

  /** An unknown session and a wrong secret are told apart by nobody. */
  #find(id: string | undefined, secret: string): Session {
    const session = this.#sessions.get(id ?? "");
    if (!session?.hasSecret(secret)) throw gone();
    return session;
  }

  #run(session: Session, details: Partial<AuditLine>, serve: Serve): void {
    const written = this.#trail.opened(session, details);
    const begin: Serve = async (io) => {
      await written;
      return serve(io);
    };
    session.worked = session.run(begin).then(async (outcome) => {
      const children = [...session.children];
      for (const child of children) child.end(new FairleadError("session-gone", "its forward has ended"));
      // What they carried counts.
      await Promise.all(children.map(({ worked }) => worked));
      await written.then(
        () => this.#trail.ended(session, outcome),
        (error: unknown) => this.#trail.refused(session.visitor, session.purpose, toFairleadError(error)),
      );
    });
  }

  /** The sessions end by themselves; the connection goes once they had their last words. */
  async #withdraw(mux: Mux, subject: Subject): Promise<void> {
    const own = [...this.#sessions.values()].filter(({ visitor }) => visitor.subject === subject);
    await Promise.race([Promise.all(own.map(({ closed }) => closed)), sleep(LAST_WORDS_MS)]);
    mux.close(4401, "access was withdrawn");
  }

  #endIdle(): void {
    const { idle } = this.#options.limits;
    if (idle === 0) return;
    this.#carried.look();
    for (const session of this.#sessions.values())
      if (performance.now() - session.lastActive > idle && session.children.size === 0)
        session.end(new FairleadError("idle", `nothing moved for ${Math.round(idle / 60_000)} minutes`));
  }
}

function visitorOf(subject: Subject, { address, door }: Remote): Visitor {
  return { subject, remote: `${address} ${door}` };
}

function withdrawn(): FairleadError {
  return new FairleadError("revoked", "your access was withdrawn");
}

function gone(): FairleadError {
  return new FairleadError("session-gone", "that session has ended, or its secret is another; open a new one");
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
