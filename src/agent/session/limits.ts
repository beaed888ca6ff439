/** How much this agent carries at a time, and the words for whoever wants more. */

import { checkShare, takenFrom, type Taken } from "../../auth/share.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Session } from "./session.ts";

export interface SessionLimits {
  /** Sessions at a time, connections of forwards not counted. */
  sessions: number;
  sessionsPerContainer: number;
  /** TCP connections of all forwards and proxied ports. */
  connections: number;
  /** Milliseconds without a packet in either direction; 0: for ever. */
  idle: number;
  /** Milliseconds that a kept session waits for its client. */
  grace: number;
}

/** TCP connections of one forward, or of one proxied port, at a time. */
const MAX_CONNECTIONS = 128;

/** Who wants one more session, of which container, or without one of the host itself. */
export interface Wanted {
  container: string | undefined;
  subject: string;
}

/** Throws `too-many` when there is no room for it. */
export function checkSessions(live: Iterable<Session>, { container, subject }: Wanted, limits: SessionLimits): void {
  const all = [...live].filter(({ purpose }) => purpose.kind !== "connection");
  const taken = (sessions: Session[]) =>
    takenFrom(
      sessions.map(({ visitor }) => visitor.subject.grant.subject),
      subject,
    );
  const { sessions, sessionsPerContainer } = limits;
  checkShare(sessions, taken(all), `This agent serves at most ${sessions} sessions (max_sessions)`);
  // One that is being ended has given its place up: whoever closes a session may open the next at once.
  const here = all.filter(({ purpose, signal }) => purpose.container?.id === container && !signal.aborted);
  const words = `A container, and the host itself, has at most ${sessionsPerContainer} sessions (max_sessions_per_container)`;
  checkShare(sessionsPerContainer, taken(here), words);
}

/** Throws `too-many` when a session of so many connections, or an agent of which so many are taken, has no room for one more. */
export function checkConnections(ofSession: number, taken: Taken, { connections }: SessionLimits): void {
  if (ofSession >= MAX_CONNECTIONS)
    throw new FairleadError("too-many", `A session carries at most ${MAX_CONNECTIONS} connections at a time.`);
  checkShare(connections, taken, `This agent carries at most ${connections} forwarded connections`);
}
