/** What a connection is made of: messages out, messages in, and how much has not left yet. */

import { CLOSE, type CloseInfo } from "./errors.ts";

export interface TransportEvents {
  /** It is the receiver's. */
  message(bytes: Uint8Array): void;
  /** Memory for a message of so many bytes; `make` gives it where there is none to use again, in the way of its platform. */
  blank?(length: number, make: (size: number) => ArrayBuffer): Uint8Array;
  /** Less than before is waiting to leave; asked for by looking at `buffered`. */
  drain(): void;
  /** Once, last. */
  close(info: CloseInfo): void;
}

export interface Transport {
  /**
   * Whole messages, in order. The bytes must not change until they left: who keeps frames of a pool when this has returned
   * has to `hold` them until then (`frame-pool.ts`).
   */
  send(frame: Uint8Array): void;
  /** Bytes handed over that the network has not taken. */
  readonly buffered: number;
  /** Bytes that are enough of them to keep it busy, where fewer do than usual. */
  readonly writeAhead?: number;
  /** Begins delivery; nothing is lost before. */
  start(events: TransportEvents): void;
  /**
   * Brings nothing more than it has read already before the program has looked at everything else that waits. Absent where
   * that cannot be chosen.
   */
  rest?(): void;
  /**
   * Says goodbye behind all that was sent, then closes; `close` is reported within a few seconds. The code is one that a
   * WebSocket's end may say; of the reason as much is said as there is room for. The first goodbye counts.
   */
  close(code: number, reason: string): void;
}

/** A browser's WebSocket, as far as it is needed. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: "error", listener: () => void): void;
}

const OPEN = 1;
/** A browser does not say when a message left: look again after so many milliseconds. */
const POLL_MS = 4;
/** Bytes of UTF-8 beside the code in a WebSocket's goodbye (RFC 6455, section 5.5). */
const MAX_REASON_BYTES = 123;

/** Adapts a browser's WebSocket. Call it before it opens, or in that very tick: messages before `start` are kept. */
export function browserTransport(socket: WebSocketLike): Transport {
  let events: TransportEvents | undefined;
  let ended: CloseInfo | undefined;
  const early: Uint8Array[] = [];
  let polling = false;
  socket.binaryType = "arraybuffer";

  const poll = () => {
    polling = false;
    events?.drain();
    watch();
  };
  const watch = () => {
    if (polling || socket.bufferedAmount === 0) return;
    polling = true;
    setTimeout(poll, POLL_MS);
  };

  socket.addEventListener("message", ({ data }) => {
    // A text message is no frame: an empty one is refused by the decoder.
    const bytes = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0);
    if (events) events.message(bytes);
    else early.push(bytes);
  });
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", ({ code, reason }) => {
    ended = { code, reason };
    events?.close(ended);
  });

  return {
    send(frame) {
      if (socket.readyState !== OPEN) return;
      socket.send(frame);
      watch();
    },
    get buffered() {
      return socket.bufferedAmount;
    },
    start(handlers) {
      events = handlers;
      for (const bytes of early.splice(0)) handlers.message(bytes);
      if (ended) handlers.close(ended);
    },
    close: (code, reason) => socket.close(pageCode(code), closeReason(reason)),
  };
}

/** Browsers let a page say 1000 and 3000-4999 only. */
function pageCode(code: number): number {
  return code === CLOSE.normal || code >= 3000 ? code : 4000 + (code % 1000);
}

/** As much of it as a WebSocket says, in whole characters. */
export function closeReason(reason: string): string {
  return reason.slice(0, new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_BYTES)).read);
}
