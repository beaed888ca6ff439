/** Who changed what, written down before the answer goes out. */

import type { FastifyRequest } from "fastify";
import type { Door } from "../../door/door.ts";
import type { Log } from "../../door/options.ts";
import type { AuditLine } from "../../protocol/audit.ts";
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

/** Pages that come and go. Nobody waits for this line; where the database has no place for it, the log has it. */
export function signInAuditor({ history, log }: Omit<AuditParts, "door">): (line: AuditLine) => void {
  return ({ event, subject = "", issuer, remote = "" }) => {
    const [address = ""] = remote.split(" ");
    const line = { action: event, subject, address, ...(issuer && { detail: `with a code of ${issuer}` }) };
    log.info({ audit: line }, event);
    history
      .add(line)
      .catch((error: unknown) => log.error({ err: error, audit: line }, "an audit line is in the log only"));
  };
}
