/** Whoever asks for something on a channel meets it here: a session is opened, resumed, observed or joined, or refused in words. */

import { allows, type Subject } from "../../auth/grant.ts";
import type { Channel, OpenRequest } from "../../mux/channel.ts";
import { CLOSE } from "../../mux/errors.ts";
import type { AuditLine } from "../../protocol/audit.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { json } from "../../protocol/json.ts";
import { DialBody, type OpenHeader, ResumeBody } from "../../protocol/open.ts";
import type { Container, Host, Runtime } from "../runtime/runtime.ts";
import { askedFor, type Trail } from "./audit.ts";
import type { Containers } from "./containers.ts";
import { problemFor, toFairleadError } from "./failure.ts";
import { serveConnection } from "./forward.ts";
import type { Outcome, Serve } from "./io.ts";
import { gone, type LiveSessions, withdrawn } from "./live-sessions.ts";
import type { LogStreams } from "./log-streams.ts";
import { serveObserver } from "./observe.ts";
import { type Opening, openingOf, parseBody, parseHeader, type Tools } from "./open.ts";
import type { Visitor } from "./purpose.ts";
import { nameThere } from "./server-subject.ts";
import type { Session } from "./session.ts";

export interface ReceptionParts {
  runtime: Runtime;
  host: Host;
  containers: Containers;
  streams: LogStreams;
  live: LiveSessions;
  trail: Trail;
  /** Milliseconds that a kept session waits for its client, unless that asks for another time. */
  grace: number;
  /** Why nothing new may be begun for this subject now, if so. */
  closedTo?: (subject: Subject) => FairleadError | undefined;
  /** Hears of sessions that ended by a fault of this program. */
  onFault?: ((fault: unknown, session: Faulty) => void) | undefined;
}

/** For the log: which session, and by which request it came. */
export interface Faulty {
  session: string;
  kind: string;
  request: string | undefined;
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

/** Kinds of session that print something. */
const OBSERVABLE = new Set(["exec", "attach", "logs", "shell"]);
/** Of the host itself; unlike a container nothing of it appears later. */
const NOTHING_FOR_YOU = new FairleadError(
  "not-found",
  "This host gives you no shell. Ask its owner for the right host-shell.",
);
/** Nobody is waited for longer, in milliseconds. */
const MAX_GRACE_MS = 86_400_000;

export class Reception {
  readonly #parts: ReceptionParts;
  readonly #tools: Tools;
  #state: "open" | "closed" = "open";

  constructor(parts: ReceptionParts) {
    const { runtime, host, streams, containers } = parts;
    this.#parts = parts;
    this.#tools = { runtime, host, streams, engineReady: (signal) => containers.whenReady(signal) };
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
    this.#parts.trail.refused(visitor, askedFor(request.header), refusal);
    channel.start({ message() {}, credit() {}, ack() {}, reply() {}, close() {} });
    channel.reply(json(problemFor(visitor, refusal)));
    channel.close(CLOSE.normal, refusal.code);
  }

  /** Throws unless this visitor may begin something now. */
  checkNew(subject: Subject): void {
    this.#checkWelcome(subject);
    const refusal = this.#parts.closedTo?.(subject);
    if (refusal) throw refusal;
  }

  #checkWelcome(subject: Subject): void {
    if (this.#state !== "open")
      throw new FairleadError("shutting-down", "The agent is shutting down; nothing new is accepted.");
    if (subject.revoked.aborted) throw withdrawn();
  }

  /** Nobody comes in any more. Idempotent. */
  close(): void {
    this.#state = "closed";
  }

  /** A container that is unknown may have been made a moment ago; meanwhile the channel keeps what its client says. */
  async #lookAgain(arrival: Arrival): Promise<void> {
    try {
      await this.#parts.containers.refresh();
      if (!arrival.channel.open) throw new FairleadError("client-gone", "The client did not wait for the answer.");
      this.#enter(arrival);
    } catch (error) {
      this.refuse(arrival, toFairleadError(error));
    }
  }

  /** Throws what the client is refused with. */
  #enter(arrival: Arrival): void {
    this.#checkWelcome(arrival.visitor.subject);
    const header = parseHeader(arrival.request.header);
    this.#checkNode(header, arrival.visitor.subject);
    if (header.op === "resume") return this.#resume(arrival, header);
    if (header.op === "dial") return this.#dial(arrival, header);
    this.checkNew(arrival.visitor.subject);
    if (header.op === "observe") this.#observe(arrival, header);
    else this.#open(arrival, header);
  }

  /** Of this host alone; whom a server sent here it has told by which of its names. */
  #checkNode({ node }: OpenHeader, { grant }: Subject): void {
    const own = this.#parts.containers.node;
    if (node === undefined || node === own || nameThere(grant.subject) !== undefined) return;
    throw new FairleadError("not-found", `No host "${node}" here: this is the agent of "${own}", and knows no other.`);
  }

  #open({ channel, request, visitor, session: id }: Arrival, header: OpenHeader): void {
    const { host, live } = this.#parts;
    const opening = openingOf(header, request.body);
    const { right, audit } = opening;
    const reference = header.container ?? "";
    const container = this.#place(opening, header, visitor);
    live.checkRoom({ container: container?.id, subject: visitor.subject.grant.subject });
    const onDrop = header.onDrop ?? opening.onDrop;
    const grace = onDrop === "kill" ? 0 : Math.min(header.grace ?? this.#parts.grace, MAX_GRACE_MS);
    const purpose = { kind: header.op, right, reference, container, ports: audit.ports };
    const details = { ...audit, ...(opening.onHost && { user: host.user }) };
    const session = live.add({ ...purpose, visitor, onDrop, grace, channel, id });
    this.#run(session, details, (io) => opening.serve(io, container?.id ?? "", this.#tools));
  }

  /** The container that the header names, or none for what is done on the host. Throws what the client is refused with. */
  #place({ onHost, right }: Opening, header: OpenHeader, { subject }: Visitor): Container | undefined {
    const { grant } = subject;
    if (!onHost) return this.#parts.containers.resolve(header.container ?? "", { grant, right });
    if (header.container !== undefined) throw new FairleadError("bad-request", `"${header.op}" takes no container.`);
    if (!allows(grant, right, {})) throw NOTHING_FOR_YOU;
    return undefined;
  }

  /** One TCP connection of a forward; the container is looked up again, so that a recreated one is found. */
  #dial({ channel, request, visitor, session: id }: Arrival, header: OpenHeader): void {
    const { runtime, containers, live } = this.#parts;
    const { secret, port } = parseBody(DialBody, request.body);
    const parent = live.find(header.session, secret);
    const { kind, right, reference, ports } = parent.purpose;
    if (kind !== "forward" || !ports?.includes(port))
      throw new FairleadError("bad-request", `This forward was not opened for port ${port}.`);
    live.checkConnections(parent);
    const container = containers.resolve(reference, { grant: visitor.subject.grant, right });
    const purpose = { kind: "connection", right, reference, container };
    const session = live.add({ ...purpose, ...parent.fate, visitor, channel, id });
    parent.adopt(session);
    session.worked = session
      .run((io) => serveConnection(io, () => runtime.dialBulk(container.id, port, session.signal)))
      .then(() => parent.release(session));
  }

  /** Whoever opened the session, or may do everything to its container, may watch it; nobody else learns that it exists. */
  #observe({ channel, visitor, session: id }: Arrival, header: OpenHeader): void {
    const { live } = this.#parts;
    const observed = live.get(header.session);
    const { grant } = visitor.subject;
    if (!observed) throw gone();
    const { kind, right, container, reference } = observed.purpose;
    const labels = container?.labels ?? {};
    const own = observed.visitor.subject.grant.subject === grant.subject && allows(grant, right, labels);
    if (!OBSERVABLE.has(kind) || !(own || allows(grant, "admin", labels))) throw gone();
    live.checkRoom({ container: container?.id, subject: grant.subject });
    const purpose = { kind: "observer", right, reference, container };
    const session = live.add({ ...purpose, visitor, onDrop: "kill", grace: 0, channel, id });
    this.#run(session, {}, (io) => serveObserver(io, observed));
  }

  #resume({ channel, request, visitor }: Arrival, header: OpenHeader): void {
    const { secret, epoch, received } = parseBody(ResumeBody, request.body);
    const { containers, live, trail } = this.#parts;
    const session = live.find(header.session, secret);
    const { grant } = visitor.subject;
    const { right, container } = session.purpose;
    const labels = container ? (containers.labels(container.id) ?? container.labels) : {};
    if (session.visitor.subject.grant.subject !== grant.subject || !allows(grant, right, labels)) throw gone();
    session.resume(channel, { epoch, received });
    trail.resumed(session, visitor);
  }

  #run(session: Session, details: Partial<AuditLine>, serve: Serve): void {
    const { trail } = this.#parts;
    const written = trail.opened(session, details);
    const begin: Serve = async (io) => {
      await written;
      return serve(io);
    };
    session.worked = session.run(begin).then(async (outcome) => {
      this.#tellFault(session, outcome);
      const children = [...session.children];
      for (const child of children) child.end(new FairleadError("session-gone", "Its forward has ended."));
      // What they carried counts.
      await Promise.all(children.map(({ worked }) => worked));
      await written.then(
        () => trail.ended(session, outcome),
        (error: unknown) => trail.refused(session.visitor, session.purpose, toFairleadError(error)),
      );
    });
  }

  #tellFault({ id, purpose, visitor }: Session, outcome: Outcome): void {
    if (!("error" in outcome) || outcome.error.code !== "internal") return;
    const about = { session: id, kind: purpose.kind, request: visitor.request };
    this.#parts.onFault?.(outcome.error.cause ?? outcome.error, about);
  }
}
