/** What is written down of every session: who, what, which container, when, how it ended, bytes each way. Never what was said. */

import type { FairleadError } from "../../protocol/errors.ts";
import type { Container, Order } from "../runtime/runtime.ts";
import { parseHeader } from "./open.ts";
import { Refusals } from "./refusals.ts";
import type { Outcome, Session, Visitor } from "./session.ts";

export interface AuditLine {
  event: "open" | "resume" | "end" | "refuse";
  /** A refusal has none. */
  session?: string;
  /** Of a refusal: the operation that was asked for; `unknown` when the request could not be read. */
  kind: string;
  subject: string;
  /** Where the caller came from: an address, and by which door. */
  remote: string;
  /** The container; absent for what is done on the host itself. */
  container?: string;
  containerName?: string;
  /** Of a refusal: the container or the session that was asked for, as the client named it. */
  reference?: string;
  /** Of an exec and of a shell on the host: the argument vector, shortened; none is the user's own shell. */
  command?: string[];
  ports?: number[];
  /** Of a shell on the host: whose it is. */
  user?: string;
  /** Of what was done to a container as a whole: how exactly. */
  options?: { timeout?: number; force?: boolean; volumes?: boolean };
  /** Of a copy: where in the container. */
  path?: string;
  /** Of an end: `exit 0`, `unknown: ...`, `done`, or an error code; of a refusal: the error's code. */
  outcome?: string;
  /** Of a refusal: how many of this caller's before it have no line of their own. */
  more?: number;
  /** Milliseconds it lasted. */
  duration?: number;
  bytesIn?: number;
  bytesOut?: number;
  /** Of a forward: TCP connections that it carried. */
  connections?: number;
  /** Of an end: what the client was warned of. */
  warning?: string;
}

export type Audit = (line: AuditLine) => void;

/** What a refused caller wanted. */
export type Asked = Pick<AuditLine, "kind" | "reference">;

/** Characters of a command that are written; log files drop lines that are very long. */
const MAX_COMMAND = 4_096;

/** Writes the lines. */
export class Trail {
  readonly #audit: Audit;
  readonly #refusals: Refusals;

  constructor(audit: Audit) {
    this.#audit = audit;
    this.#refusals = new Refusals(audit);
  }

  opened(session: Session, what: Partial<AuditLine>): void {
    const { command, path } = what;
    const quoted = { ...(command && { command: shortened(command) }), ...(path && { path: visible(path) }) };
    this.#audit({ event: "open", ...factsOf(session), ...what, ...quoted });
  }

  resumed(session: Session, by: Visitor): void {
    this.#audit({ event: "resume", ...factsOf(session), ...callerOf(by) });
  }

  ended(session: Session, outcome: Outcome): void {
    const { bytesIn, bytesOut, connections, started, warning } = session;
    const moved = { duration: Date.now() - started, bytesIn, bytesOut, ...(connections > 0 && { connections }) };
    this.#audit({ event: "end", ...factsOf(session), outcome: words(outcome), ...moved, ...(warning && { warning }) });
  }

  /** Something is done to a container as a whole; gives what writes down how it ended: `done`, or the error's code. */
  acting(visitor: Visitor, order: Order, { id, name }: Container): (outcome: string) => void {
    const { kind, ...options } = order;
    const facts = { kind, ...callerOf(visitor), container: id, containerName: name };
    const started = Date.now();
    this.#audit({ event: "open", ...facts, ...(Object.keys(options).length > 0 && { options }) });
    return (outcome) => this.#audit({ event: "end", ...facts, outcome, duration: Date.now() - started });
  }

  refused(visitor: Visitor, { kind, reference }: Asked, { code }: FairleadError): void {
    const asked = { kind, ...(reference !== undefined && { reference: visible(reference) }) };
    this.#refusals.note({ ...asked, ...callerOf(visitor), outcome: code });
  }

  /** Writes what is still to be written. */
  close(): void {
    this.#refusals.close();
  }
}

function factsOf({ id, purpose, visitor }: Session) {
  const { kind, container } = purpose;
  const place = container && { container: container.id, containerName: container.name };
  return { session: id, kind, ...callerOf(visitor), ...place };
}

/** Of a request's header, as far as it is one at all: that bounds what is quoted of it. */
export function askedFor(request: Uint8Array): Asked {
  try {
    const { op, container, session } = parseHeader(request);
    const reference = container ?? session;
    return { kind: op, ...(reference !== undefined && { reference }) };
  } catch {
    return { kind: "unknown" };
  }
}

function callerOf({ subject, remote }: Visitor): Pick<AuditLine, "subject" | "remote"> {
  return { subject: subject.grant.subject, remote };
}

function words(outcome: Outcome): string {
  if ("error" in outcome) return outcome.error.code;
  return "code" in outcome.status ? `exit ${outcome.status.code}` : `unknown: ${outcome.status.unknown}`;
}

/** A stranger chose it: none of its characters may steer a terminal, hide, or turn the line around. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (it) => `\\u{${it.codePointAt(0)?.toString(16)}}`);
}

function shortened(command: string[]): string[] {
  const left = command.reduce((sum, word) => sum + word.length, 0) - MAX_COMMAND;
  if (left <= 0) return command;
  let room = MAX_COMMAND;
  const kept: string[] = [];
  for (const word of command) {
    if (room <= 0) break;
    kept.push(word.slice(0, room));
    room -= word.length;
  }
  return [...kept, `(${left} more characters)`];
}
