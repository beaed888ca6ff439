/** Two ends of a connection in memory, which can be cut after any byte that goes either way. */

import type { CloseInfo } from "../../src/mux/errors.ts";
import type { Transport, TransportEvents } from "../../src/mux/transport.ts";

export interface TransportPair {
  a: Transport;
  b: Transport;
  /** Both ends lose the connection; what is on its way is lost too. */
  cut(reason?: string): void;
  /** Where each message ended, in bytes since the start, from `a` to `b` and back. */
  readonly ends: { ab: number[]; ba: number[] };
}

/** Bytes after which the connection is cut, by direction; a message that would pass that point is lost. */
export interface CutAt {
  ab?: number;
  ba?: number;
}

export function transportPair(cutAt: CutAt = {}): TransportPair {
  const ends = { ab: [0], ba: [0] };
  let open = true;
  let ended: CloseInfo | undefined;
  const events: { a?: TransportEvents; b?: TransportEvents } = {};
  const early = { a: [] as Uint8Array[], b: [] as Uint8Array[] };
  const deliver = (to: "a" | "b", bytes: Uint8Array) => {
    if (!open) return;
    if (events[to]) events[to].message(bytes);
    else early[to].push(bytes);
  };
  const end = (info: CloseInfo) => {
    if (!open) return;
    open = false;
    ended = info;
    queueMicrotask(() => {
      events.a?.close(info);
      events.b?.close(info);
    });
  };
  const side = (own: "a" | "b", other: "a" | "b", way: "ab" | "ba"): Transport => ({
    buffered: 0,
    send(frame) {
      if (!open) return;
      const carried = (ends[way].at(-1) ?? 0) + frame.length;
      ends[way].push(carried);
      if (carried > (cutAt[way] ?? Number.POSITIVE_INFINITY)) return end({ code: 1006, reason: `cut ${way}` });
      const bytes = frame.slice();
      queueMicrotask(() => deliver(other, bytes));
    },
    start(handlers) {
      events[own] = handlers;
      for (const bytes of early[own].splice(0)) handlers.message(bytes);
      if (ended) handlers.close(ended);
    },
    // Behind what is on its way.
    close: (code, reason) => queueMicrotask(() => end({ code, reason })),
  });
  return {
    a: side("a", "b", "ab"),
    b: side("b", "a", "ba"),
    cut: (reason = "cut") => end({ code: 1006, reason }),
    ends,
  };
}
