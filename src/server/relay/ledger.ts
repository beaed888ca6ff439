/** What the server writes down of every session that passes through: who, what, on which node, when, how it ended, bytes each way. */

import type { Subject } from "../../auth/grant.ts";
import { CLOSE, type CloseInfo } from "../../mux/errors.ts";
import type { AuditLine } from "../../protocol/audit.ts";
import type { FairleadError } from "../../protocol/errors.ts";
import { RelayedHeader } from "../../protocol/relayed.ts";
import type { Carried } from "./junction.ts";

/**
 * `end`: the channel is over; a kept session may still wait on its agent and `resume`. `session` is the same as in the agent's
 * own audit. The outcome of an end is `closed CODE`, or `cut` when a connection was lost.
 */
export type RelayAuditLine = AuditLine & {
  event: "open" | "resume" | "end" | "refuse";
  kind: string;
  subject: string;
  remote: string;
};

export type RelayAudit = (line: RelayAuditLine) => void;

/** Who asks, and by which request he came. */
export interface Asker extends Pick<RelayAuditLine, "remote" | "request"> {
  subject: Subject;
}

interface Totals extends Carried {
  connections: number;
}

/** Until its channel has closed. */
export interface LedgerEntry {
  closed(info: CloseInfo, carried: Carried): void;
}

export class Ledger {
  readonly #audit: RelayAudit;
  /** Of the sessions that are open: the connections of forwards and of containers' pages are told with them, not one by one. */
  readonly #parents = new Map<string, Totals>();

  constructor(audit: RelayAudit) {
    this.#audit = audit;
  }

  opened({
    header,
    session,
    node,
    ...asker
  }: Asker & { header: RelayedHeader; session: string; node: string }): LedgerEntry {
    if (header.op === "dial") return this.connection(header.session ?? "");
    const facts = { session, kind: header.op, node, ...whoAsks(asker), ...referenceOf(header) };
    const began = performance.now();
    const children = { in: 0, out: 0, connections: 0 };
    this.#parents.set(session, children);
    this.#audit({ event: header.op === "resume" ? "resume" : "open", ...facts });
    return {
      closed: ({ code }, carried) => {
        if (this.#parents.get(session) === children) this.#parents.delete(session);
        this.#audit({
          event: "end",
          ...facts,
          outcome: code === CLOSE.cut ? "cut" : `closed ${code}`,
          duration: Math.round(performance.now() - began),
          bytesIn: carried.in + children.in,
          bytesOut: carried.out + children.out,
          ...(children.connections > 0 && { connections: children.connections }),
        });
      },
    };
  }

  refused({ header, refusal, ...asker }: Asker & { header: Uint8Array; refusal: FairleadError }): void {
    const asked = readHeader(header);
    const kind = asked?.op ?? "unknown";
    const node = asked && { node: asked.node, ...referenceOf(asked) };
    this.#audit({ event: "refuse", kind, ...whoAsks(asker), ...node, outcome: refusal.code });
  }

  /** One more connection of this session. */
  connection(session: string): LedgerEntry {
    const totals = this.#parents.get(session);
    if (totals) totals.connections += 1;
    return {
      closed: (_info, carried) => {
        if (!totals) return;
        totals.in += carried.in;
        totals.out += carried.out;
      },
    };
  }
}

function whoAsks({ subject, remote, request }: Asker) {
  return { subject: subject.grant.subject, remote, ...(request !== undefined && { request }) };
}

function referenceOf({ container, session }: RelayedHeader): Pick<RelayAuditLine, "reference"> {
  const reference = container ?? session;
  return reference === undefined ? {} : { reference };
}

function readHeader(bytes: Uint8Array): RelayedHeader | undefined {
  try {
    return RelayedHeader.parse(JSON.parse(Buffer.from(bytes).toString()));
  } catch {
    return undefined;
  }
}
