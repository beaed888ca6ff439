/** How much this agent carries at a time, and the words for whoever wants more. */

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

/** Throws `too-many` when there is no room for one more session of this container, or without one of the host itself. */
export function checkSessions(live: Iterable<Session>, container: string | undefined, limits: SessionLimits): void {
  const own = [...live].filter(({ purpose }) => purpose.kind !== "connection");
  if (own.length >= limits.sessions)
    throw new FairleadError("too-many", `This agent serves at most ${limits.sessions} sessions (max_sessions).`);
  // One that is being ended has given its place up: whoever closes a session may open the next at once.
  const here = own.filter(({ purpose, signal }) => purpose.container?.id === container && !signal.aborted);
  if (here.length >= limits.sessionsPerContainer)
    throw new FairleadError(
      "too-many",
      `A container, and the host itself, has at most ${limits.sessionsPerContainer} sessions (max_sessions_per_container).`,
    );
}

/** Throws `too-many` when a session with so many connections, or an agent with so many in all, has no room for one more. */
export function checkConnections({ own, all }: { own: number; all: number }, limits: SessionLimits): void {
  if (own >= MAX_CONNECTIONS)
    throw new FairleadError("too-many", `A session carries at most ${MAX_CONNECTIONS} connections at a time.`);
  if (all >= limits.connections)
    throw new FairleadError("too-many", `This agent carries at most ${limits.connections} forwarded connections.`);
}
