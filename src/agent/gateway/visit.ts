/** Who comes to the session desk through a door of another protocol than ours. */

import type { FastifyRequest } from "fastify";
import type { DirectVisit } from "../session/sessions.ts";
import type { ErrorCode } from "../../protocol/errors.ts";
import { callerOf, type Door } from "../../door/door.ts";
import type { SessionDesk } from "./options.ts";
import { spokenBy } from "../../door/sockets.ts";

/** What such a door needs. */
export interface Desk {
  sessions: SessionDesk;
  door: Door;
}

/** What may keep something from being begun in a container. */
export const REFUSALS = [
  "ambiguous",
  "own-container",
  "not-running",
  "too-many",
  "engine-unavailable",
  "engine-error",
] as const satisfies ErrorCode[];

/** The signal aborts when the client is gone. For the audit the door is known by what is spoken there. */
export function visitOf(request: FastifyRequest, { door }: Desk, signal: AbortSignal): DirectVisit {
  const remote = { address: door.source(request).address, door: spokenBy(request), request: request.id };
  return { subject: callerOf(request).subject, remote, signal };
}
