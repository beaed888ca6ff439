/** The audit log of a program, as its settings have it. */

import type { Log } from "../boot/log.ts";
import { setting, type ValuesOf } from "../boot/setting.ts";
import { duration, size } from "../boot/value.ts";
import { AuditLog, type AuditLogOptions } from "./audit-log.ts";

const MEBIBYTE = 1024 * 1024;
const DAY = 86_400_000;
const TROUBLE = "the audit log is not complete, or its bound is reached; see ctl audit verify";

/** How much of it is kept. */
export function auditSettings() {
  return {
    audit_max_size: setting({
      type: size({ min: MEBIBYTE }),
      default: 64 * MEBIBYTE,
      effect:
        "What the files of the audit log in log_directory together may take. When that is reached the oldest quarter is removed, which is told in the log and in the audit log itself.",
    }),
    audit_max_age: setting({
      type: duration({ min: 0, max: 3_650 * DAY }),
      default: 0,
      effect: "Rotated files of the audit log are removed when nothing was written to them for this long; 0: never.",
    }),
  };
}

type Settings = ValuesOf<ReturnType<typeof auditSettings>> & { log_directory: string };

/** What is wrong with it is told in the program's own log. */
export function openAudit(
  { log_directory: directory, audit_max_size: maxSize, audit_max_age: maxAge }: Settings,
  { log, ...program }: { log: Log } & Pick<AuditLogOptions, "program" | "version" | "required">,
): Promise<AuditLog> {
  const onTrouble: AuditLogOptions["onTrouble"] = (trouble) => log.warn({ audit: trouble }, TROUBLE);
  return AuditLog.open({ ...program, directory, maxSize, maxAge, onTrouble });
}
