/** The sessions that live, by id: made and found here, kept within this agent's limits, ended when they are idle or withdrawn. */

import type { Duplex } from "node:stream";
import type { Subject } from "../../auth/grant.ts";
import type { Budget } from "../../mux/budget.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { Carried } from "./carried.ts";
import { checkConnections, checkSessions, type SessionLimits, type Wanted } from "./limits.ts";
import type { Meter } from "./meter.ts";
import type { SessionSpec } from "./purpose.ts";
import { type Moved, Session } from "./session.ts";

export interface LiveSessionsOptions {
  limits: SessionLimits;
  budget: Budget;
  meter?: Meter | undefined;
}

/** How often idle sessions are looked for, in milliseconds. */
const IDLE_CHECK_MS = 15_000;
/** What clients get to read the last words, in milliseconds. */
const LAST_WORDS_MS = 1_000;

export class LiveSessions {
  readonly #limits: SessionLimits;
  readonly #budget: Budget;
  readonly #meter: Meter | undefined;
  readonly #sessions = new Map<string, Session>();
  readonly #carried = new Carried();
  readonly #idleTimer: NodeJS.Timeout;

  constructor({ limits, budget, meter }: LiveSessionsOptions) {
    this.#limits = limits;
    this.#budget = budget;
    this.#meter = meter;
    this.#idleTimer = setInterval(() => this.#endIdle(), IDLE_CHECK_MS).unref();
  }

  /** It is among these until it is closed, and ends when its visitor's access is withdrawn. Throws for an id that is taken. */
  add(spec: Omit<SessionSpec, "budget" | "meter">): Session {
    if (spec.id !== undefined && this.#sessions.has(spec.id))
      throw new FairleadError("bad-request", "There is a session of that name already.");
    const session = new Session({ ...spec, budget: this.#budget, meter: this.#meter });
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

  get(id: string | undefined): Session | undefined {
    return this.#sessions.get(id ?? "");
  }

  /** An unknown session and a wrong secret are told apart by nobody. */
  find(id: string | undefined, secret: string): Session {
    const session = this.get(id);
    if (!session?.hasSecret(secret)) throw gone();
    return session;
  }

  all(): Session[] {
    return [...this.#sessions.values()];
  }

  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { purpose } of this.#sessions.values()) counts[purpose.kind] = (counts[purpose.kind] ?? 0) + 1;
    return counts;
  }

  /** Throws `too-many` when there is no room for one more session. */
  checkRoom(wanted: Wanted): void {
    checkSessions(this.#sessions.values(), wanted, this.#limits);
  }

  /** Throws `session-gone` when this session is ending or only kept for its client, `too-many` when it has no room for one more. */
  checkConnections(session: Session): void {
    if (session.signal.aborted) throw gone();
    const { subject } = session.visitor.subject.grant;
    const of = (one: Session) => one.children.size + this.#carried.of(one);
    const own = this.all().filter(({ visitor }) => visitor.subject.grant.subject === subject);
    const taken = { all: this.connections, own: own.reduce((sum, one) => sum + of(one), 0) };
    checkConnections(of(session), taken, this.#limits);
  }

  /** TCP connections of forwards and proxied ports. */
  get connections(): number {
    return (this.counts()["connection"] ?? 0) + this.#carried.size;
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

  /** Makes a connection that ends with the session and counts for it. Rejects as {@link checkConnections} throws. */
  async carry(session: Session, dial: () => Promise<Duplex>): Promise<Duplex> {
    this.checkConnections(session);
    return this.#carried.add(session, dial);
  }

  /** Ends everything of these subjects, also what waits for them. Resolves when nothing of it is left. */
  async withdraw(whose: (subject: Subject) => boolean): Promise<void> {
    const own = this.#of(whose);
    for (const session of own) session.end(withdrawn());
    await lastWords(own);
    for (const session of own) session.close();
  }

  /** Those of this subject are ending: resolves once their client had time for their last words. */
  ending(subject: Subject): Promise<void> {
    return lastWords(this.#of((it) => it === subject));
  }

  /** Ends everything, and lets go of it once its processes are gone and its client had time for the last words. */
  async close(why: FairleadError): Promise<void> {
    clearInterval(this.#idleTimer);
    const open = this.all();
    for (const session of open) session.end(why);
    await Promise.all(open.map((session) => Promise.race([session.worked, session.closed])));
    await lastWords(open.filter(({ attached }) => attached));
    for (const session of open) session.close();
  }

  #of(whose: (subject: Subject) => boolean): Session[] {
    return this.all().filter(({ visitor }) => whose(visitor.subject));
  }

  #endIdle(): void {
    const { idle } = this.#limits;
    if (idle === 0) return;
    this.#carried.look();
    for (const session of this.#sessions.values())
      if (performance.now() - session.lastActive > idle && session.children.size === 0)
        session.end(new FairleadError("idle", `Nothing moved for ${Math.round(idle / 60_000)} minutes.`));
  }
}

async function lastWords(sessions: Session[]): Promise<void> {
  const late = new Promise((resolve) => {
    setTimeout(resolve, LAST_WORDS_MS);
  });
  await Promise.race([Promise.all(sessions.map(({ closed }) => closed)), late]);
}

export function withdrawn(): FairleadError {
  return new FairleadError("revoked", "Your access was withdrawn.");
}

export function gone(): FairleadError {
  return new FairleadError("session-gone", "That session has ended, or its secret is another; open a new one.");
}
