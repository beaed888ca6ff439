/** Who comes to the session desk through a door of another protocol than ours. */

import type { FastifyRequest } from "fastify";
import type { DirectVisit } from "../session/sessions.ts";
import { callerOf, type Door } from "./door.ts";
import type { SessionDesk } from "./options.ts";

/** What such a door needs. */
export interface Desk {
  sessions: SessionDesk;
  door: Door;
}

export interface Approach {
  desk: Desk;
  /** For the audit: what is spoken there. */
  door: string;
  /** Aborted when the client is gone. */
  signal: AbortSignal;
}

export function visitOf(request: FastifyRequest, { desk, door, signal }: Approach): DirectVisit {
  const remote = { address: desk.door.source(request).address, door };
  return { subject: callerOf(request).subject, remote, signal };
}
