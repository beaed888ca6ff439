/** The records of an audit log that the page shows. */

import { AuditRecord } from "../../protocol/audit.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Source } from "../source.ts";

/** The log has more. */
export const SHOWN = 500;

export interface Wish {
  /** Whose log: a host's; empty: the server's own. */
  node: string;
  /** Since when, as `ctl audit --since` has it; who; and which container. Empty: all. */
  since: string;
  subject: string;
  container: string;
}

/** The last ones, then each as it is written. */
export function recordsOf({ node, ...wish }: Wish): Source<readonly AuditRecord[]> {
  const query = new URLSearchParams({ follow: "1", tail: String(SHOWN) });
  for (const [name, value] of Object.entries(wish)) if (value !== "") query.set(name, value);
  return {
    path: `${apiOf(node === "" ? undefined : node)}/audit?${query.toString()}`,
    reader: () => {
      let records: readonly AuditRecord[] = [];
      return (line) => (records = [...records, AuditRecord.parse(line)].slice(-SHOWN));
    },
  };
}
