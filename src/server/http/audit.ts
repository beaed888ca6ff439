/** Who changed what, written down before the answer goes out. */

import type { FastifyRequest } from "fastify";
import type { Door } from "../../door/door.ts";
import type { Log } from "../../door/options.ts";
import type { AuditEntry } from "../../protocol/events.ts";
import type { History } from "../history/history.ts";

export type Audit = (request: FastifyRequest, entry: Pick<AuditEntry, "action" | "node" | "detail">) => Promise<void>;

export interface AuditParts {
  door: Door;
  history: History<AuditEntry>;
  log: Log;
}

/** In the database, where `ctl audit` finds it, and in the log files. */
export function auditor({ door, history, log }: AuditParts): Audit {
  return async (request, entry) => {
    const { identity } = request;
    const subject = identity?.subject.grant.subject ?? "nobody yet";
    const line = { ...entry, subject, address: door.source(request).address };
    log.info({ request: request.id, audit: line }, entry.action);
    await history.add(line);
  };
}
