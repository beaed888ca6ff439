/** Who changed what, written down before the answer goes out. */

import type { FastifyRequest } from "fastify";
import type { AuditLog } from "../../audit/audit-log.ts";
import type { Door } from "../../door/door.ts";
import { FairleadError } from "../../protocol/errors.ts";

interface Change {
  /** Such as `nodes add`. */
  action: string;
  node?: string;
  detail?: string;
}

/** Rejects with `audit-unavailable` when it cannot be written. */
export type Audit = (request: FastifyRequest, change: Change) => Promise<void>;

export interface AuditParts {
  door: Door;
  log: Pick<AuditLog, "append" | "appendNow">;
}

/** For what has not happened yet, and does not when this rejects. */
export function auditorBefore({ door, log }: AuditParts): Audit {
  return (request, change) => log.appendNow(lineOf(door, request, change));
}

/** For what has happened: when this rejects its record is still to come. */
export function auditorAfter({ door, log }: AuditParts): Audit {
  return async (request, change) => {
    const line = lineOf(door, request, change);
    await log.appendNow(line).catch((cause: unknown) => {
      log.append(line);
      const words = `This was done (${change.action}), but the audit log in log_directory cannot be written, and the record of it waits. See the server's log for why, and look at what there is now before you try again.`;
      throw new FairleadError("audit-unavailable", words, { cause });
    });
  };
}

function lineOf(door: Door, request: FastifyRequest, { action: kind, ...what }: Change) {
  const subject = request.identity?.subject.grant.subject;
  const remote = `${door.source(request).address} http`;
  const who = { ...(subject !== undefined && { subject }), remote, request: request.id };
  return { event: "change" as const, kind, ...who, ...what };
}
