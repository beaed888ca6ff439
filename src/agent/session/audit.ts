/** What is written down of every session, and counted: who, what, which container, when, how it ended, bytes each way. Never what was said. */

import { randomBytes } from "node:crypto";
import type { Audit } from "../../audit/audit-log.ts";
import { Refusals } from "../../audit/refusals.ts";
import type { AuditLine } from "../../protocol/audit.ts";
import type { FairleadError } from "../../protocol/errors.ts";
import type { Container, Order } from "../runtime/runtime.ts";
import type { Outcome } from "./io.ts";
import type { Meter } from "./meter.ts";
import { parseHeader } from "./open.ts";
import type { Visitor } from "./purpose.ts";
import type { Session } from "./session.ts";

/** What a refused caller wanted. */
export type Asked = Pick<AuditLine, "reference"> & { kind: string };

/** Characters of a command that are written. */
const MAX_COMMAND = 4_096;
const ID_BYTES = 12;

/** Writes the lines. */
export class Trail {
  readonly #audit: Audit;
  readonly #refusals: Refusals;
  readonly #meter: Meter | undefined;

  constructor(audit: Audit, meter?: Meter) {
    this.#audit = audit;
    this.#meter = meter;
    this.#refusals = new Refusals(audit);
  }

  /** Settles when the session may begin: for some kinds once this is written. Rejects when it cannot be. */
  async opened(session: Session, what: Partial<AuditLine>): Promise<void> {
    this.#meter?.opened(session);
    const { command, path } = what;
    const quoted = { ...(command && { command: shortened(command) }), ...(path && { path: visible(path) }) };
    await this.#audit({ event: "open", ...factsOf(session), ...what, ...quoted });
  }

  resumed(session: Session, by: Visitor): void {
    this.#meter?.resumed(session.purpose.kind);
    void this.#audit({ event: "resume", ...factsOf(session), ...callerOf(by) });
  }

  ended(session: Session, outcome: Outcome): void {
    this.#meter?.ended(session.purpose.kind, reasonOf(outcome));
    const { age: duration, bytesIn, bytesOut, connections, warning } = session;
    const moved = { duration, bytesIn, bytesOut, ...(connections > 0 && { connections }) };
    void this.#audit({
      event: "end",
      ...factsOf(session),
      outcome: words(outcome),
      ...moved,
      ...(warning && { warning }),
    });
  }

  /** Something is done to a container as a whole; gives what writes down how it ended: `done`, or the error's code. Rejects as `opened` does. */
  async acting(visitor: Visitor, order: Order, { id, name }: Container): Promise<(outcome: string) => void> {
    const { kind, ...options } = order;
    const session = randomBytes(ID_BYTES).toString("hex");
    const facts = { session, kind, ...callerOf(visitor), container: id, containerName: name };
    const began = performance.now();
    const duration = () => Math.round(performance.now() - began);
    await this.#audit({ event: "open", ...facts, ...(Object.keys(options).length > 0 && { options }) });
    return (outcome) => void this.#audit({ event: "end", ...facts, outcome, duration: duration() });
  }

  refused(visitor: Visitor, { kind, reference }: Asked, { code }: FairleadError): void {
    this.#meter?.refused(kind, code);
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

function callerOf({ subject, remote, request }: Visitor): Pick<AuditLine, "subject" | "remote" | "request"> {
  return { subject: subject.grant.subject, remote, ...(request !== undefined && { request }) };
}

function words(outcome: Outcome): string {
  if ("error" in outcome) return outcome.error.code;
  return "code" in outcome.status ? `exit ${outcome.status.code}` : `unknown: ${outcome.status.unknown}`;
}

/** Without what there could be many of. */
function reasonOf(outcome: Outcome): string {
  if ("error" in outcome) return outcome.error.code;
  if ("unknown" in outcome.status) return "unknown";
  return outcome.status.code === 0 ? "success" : "failure";
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
