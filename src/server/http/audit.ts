/** Who changed what, written down before the answer goes out. */

import type { FastifyRequest } from "fastify";
import type { AuditLog } from "../../audit/audit-log.ts";
import type { Door } from "../../door/door.ts";

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
  log: Pick<AuditLog, "appendNow">;
}

export function auditor({ door, log }: AuditParts): Audit {
  return (request, { action: kind, ...what }) => {
    const subject = request.identity?.subject.grant.subject;
    const remote = `${door.source(request).address} http`;
    const who = { ...(subject !== undefined && { subject }), remote, request: request.id };
    return log.appendNow({ event: "change", kind, ...who, ...what });
  };
}
