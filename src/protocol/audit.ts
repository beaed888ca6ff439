/** What the audit log tells: one record for each thing that somebody did, or was refused. */

import * as z from "zod/mini";

const count = z.optional(z.int());

/** Of a session, unless it says otherwise. */
export const AuditLine = z.object({
  event: z.enum([
    "open",
    "resume",
    "end",
    "refuse",
    "sign-in",
    "sign-out",
    /** Of a server: somebody changed something; what, stands in `kind`. */
    "change",
    /** The program itself: began; ended as it was told; began after an end that nobody told it. */
    "agent-started",
    "agent-ended",
    "agent-restarted",
    "server-started",
    "server-ended",
    "server-restarted",
    /** Records that could not be written, and files that were removed when the log reached its bounds. */
    "lost",
    "removed",
  ]),
  /** A refusal has none. */
  session: z.optional(z.string()),
  /** The HTTP request by which it came; the log has the same id. */
  request: z.optional(z.string()),
  /** Of a refusal: the operation that was asked for; `unknown` when the request could not be read. */
  kind: z.optional(z.string()),
  /** Nobody, where no proof was given. */
  subject: z.optional(z.string()),
  /** Where the caller came from: an address, and by which door. */
  remote: z.optional(z.string()),
  /** Of a server: which host it is about. */
  node: z.optional(z.string()),
  /** Of a change: to what. */
  detail: z.optional(z.string()),
  /** The full id. */
  container: z.optional(z.string()),
  containerName: z.optional(z.string()),
  /** Of a refusal: the container or the session that was asked for, as the client named it. */
  reference: z.optional(z.string()),
  /** Of an exec and of a shell on the host: the argument vector, shortened; none is the user's own shell. */
  command: z.optional(z.array(z.string())),
  ports: z.optional(z.array(z.number())),
  /** Of a shell on the host: whose it is. */
  user: z.optional(z.string()),
  /** Of a copy: where in the container. */
  path: z.optional(z.string()),
  /** Of an end: what the client was warned of. */
  warning: z.optional(z.string()),
  /** Of what was done to a container as a whole: how exactly. */
  options: z.optional(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]))),
  /** Of a page that signed in: whose code it had. */
  issuer: z.optional(z.string()),
  /** Of an end: `exit 0`, `unknown: ...`, `done`, or an error code; of a refusal: the error's code. */
  outcome: z.optional(z.string()),
  /** Of a refusal: how many of this caller's before it have no record of their own. */
  more: count,
  /** Milliseconds it lasted. */
  duration: count,
  bytesIn: count,
  bytesOut: count,
  /** Of a forward: TCP connections that it carried. */
  connections: count,
  /** Of the program: its version; and of a restart, bytes of an unfinished record, and records at the end, that are gone. */
  version: z.optional(z.string()),
  unfinished: count,
  missing: count,
  /** Of lost records: how many. Of removed ones: the last one's number and hash, and the bound that was reached. */
  count,
  through: count,
  throughHash: z.optional(z.string()),
  bound: z.optional(z.enum(["size", "age"])),
});
export type AuditLine = z.infer<typeof AuditLine>;

/** As it stands in the file. `hash` is over everything before it, so over the hash of the record before, `prev`. */
export const AuditRecord = z.extend(AuditLine, {
  seq: z.int(),
  /** RFC 3339. */
  time: z.string(),
  prev: z.string(),
  hash: z.string(),
});
export type AuditRecord = z.infer<typeof AuditRecord>;

/** Characters of an id that are enough for people. */
const SHORT_ID = 12;

/** What a record is about, as it would be typed: at a server with its host in front. */
export function auditTarget({ node, detail, containerName, container, reference }: AuditRecord): string {
  const what = containerName ?? container?.slice(0, SHORT_ID) ?? reference ?? detail;
  return [node, what].filter((part) => part !== undefined).join(":");
}

/** How it ended, or else what is to be told of it. */
export function auditOutcome({ outcome, issuer, count }: AuditRecord): string {
  return outcome ?? (issuer === undefined ? (count === undefined ? "" : `${count} records`) : `by ${issuer}`);
}

/** Something that is not as it was written. */
export const AuditFault = z.object({ file: z.string(), line: z.int(), words: z.string() });
export type AuditFault = z.infer<typeof AuditFault>;

/** What a look at every record found. */
export const AuditVerdict = z.object({
  records: z.int(),
  /** The last one's: write them down elsewhere, and nobody can take away what stands before. */
  seq: z.int(),
  hash: z.string(),
  /** The first hundred. */
  faults: z.array(AuditFault),
});
export type AuditVerdict = z.infer<typeof AuditVerdict>;
