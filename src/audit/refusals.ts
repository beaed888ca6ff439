/** Refusals in the audit: of a caller that goes on and on the first ones of a minute are written, and the rest as a number. */

import type { AuditLine } from "../protocol/audit.ts";
import type { Audit } from "./audit-log.ts";

/** Milliseconds, and how many of one caller are written in full within them: else he could wash everybody's lines away. */
const PERIOD_MS = 60_000;
const IN_FULL = 20;
const NOBODY = "";

export type Refusal = Pick<AuditLine, "request" | "kind" | "node" | "subject" | "remote" | "reference" | "outcome">;

interface Period {
  timer: NodeJS.Timeout;
  written: number;
  /** Not written, and the newest of them. */
  held: number;
  last?: Refusal;
}

export class Refusals {
  readonly #audit: Audit;
  readonly #periodMs: number;
  /** By subject, which are no more than there are credentials; strangers are one. */
  readonly #periods = new Map<string, Period>();

  constructor(audit: Audit, periodMs: number = PERIOD_MS) {
    this.#audit = audit;
    this.#periodMs = periodMs;
  }

  note(refusal: Refusal): void {
    const period = this.#periods.get(refusal.subject ?? NOBODY) ?? this.#begin(refusal.subject ?? NOBODY);
    if (period.written < IN_FULL) {
      period.written += 1;
      void this.#audit({ event: "refuse", ...refusal });
      return;
    }
    period.held += 1;
    period.last = refusal;
  }

  /** Writes what it held back. */
  close(): void {
    for (const subject of this.#periods.keys()) this.#end(subject);
  }

  #begin(subject: string): Period {
    const timer = setTimeout(() => this.#end(subject), this.#periodMs).unref();
    const period = { timer, written: 0, held: 0 };
    this.#periods.set(subject, period);
    return period;
  }

  #end(subject: string): void {
    const period = this.#periods.get(subject);
    if (!period) return;
    const { timer, held, last } = period;
    clearTimeout(timer);
    this.#periods.delete(subject);
    if (last) void this.#audit({ event: "refuse", ...last, ...(held > 1 && { more: held - 1 }) });
  }
}
