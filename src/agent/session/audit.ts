/** What is written down of every session: who, what, which container, when, how it ended, bytes each way. Never what was said. */

export interface AuditLine {
  event: "open" | "resume" | "end";
  session: string;
  kind: string;
  subject: string;
  /** Where the caller came from: an address, and by which door. */
  remote: string;
  container?: string;
  containerName?: string;
  /** Of an exec: the argument vector. */
  command?: string[];
  ports?: number[];
  /** Of an end: `exit 0`, `unknown: ...`, or an error code. */
  outcome?: string;
  /** Milliseconds it lasted. */
  duration?: number;
  bytesIn?: number;
  bytesOut?: number;
  /** Of a forward: TCP connections that it carried. */
  connections?: number;
}

export type Audit = (line: AuditLine) => void;
