/** What a connection is made of: messages out, messages in, and how much has not left yet. */

import { CLOSE, type CloseInfo } from "./errors.ts";

export interface TransportEvents {
  message(bytes: Uint8Array): void;
  /** Less than before is waiting to leave; asked for by looking at `buffered`. */
  drain(): void;
  /** Once, last. */
  close(info: CloseInfo): void;
}

export interface Transport {
  /** Whole messages, in order. The bytes must not change until they left. */
  send(frame: Uint8Array): void;
  /** Bytes handed over that the network has not taken. */
  readonly buffered: number;
  /** Begins delivery; nothing is lost before. */
  start(events: TransportEvents): void;
  /** Brings nothing more before the program has looked at everything else that waits. Absent where that cannot be chosen. */
  rest?(): void;
  /** Says goodbye, then closes; `close` is reported within a few seconds. */
  close(code: number, reason: string): void;
}

/** The part that a browser's WebSocket and one of `ws` share. */
export interface WebSocketLike {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(data: Uint8Array, done?: () => void): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
  addEventListener(type: "close", listener: (event: { code: number; reason: string }) => void): void;
  addEventListener(type: "error", listener: () => void): void;
  /** Only `ws` has these, and only `ws` calls back when a message left. */
  terminate?(): void;
  pause?(): void;
  resume?(): void;
}

const OPEN = 1;
/** A browser does not say when a message left: look again after so many milliseconds. */
const POLL_MS = 4;
/** A peer that does not answer our goodbye is cut after this. */
const CLOSE_TIMEOUT_MS = 3_000;
const MAX_CLOSE_REASON = 120;

/** The socket below, where it can be reached: held back for a moment, several small messages leave in one write. */
export interface Wire {
  cork(): void;
  uncork(): void;
}

/** The turns of the event loop. */
export interface Turns {
  /** Calls back once everything that follows from what happens now has been said: Node's `nextTick` waits for the microtasks. */
  later(run: () => void): void;
  /** Calls back when everything else that waits has been looked at: Node's `setImmediate`. */
  next?(run: () => void): void;
}

/** Adapts a WebSocket. Call it before it opens, or in that very tick: messages before `start` are kept. */
export function webSocketTransport(
  socket: WebSocketLike,
  wire?: Wire,
  turns: Turns = { later: queueMicrotask },
): Transport {
  let events: TransportEvents | undefined;
  let ended: CloseInfo | undefined;
  const early: Uint8Array[] = [];
  const callsBack = typeof socket.terminate === "function";
  let polling = false;
  if (!callsBack) socket.binaryType = "arraybuffer";

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
  const left = () => events?.drain();
  let corked = false;
  const uncork = () => {
    corked = false;
    wire?.uncork();
  };
  const cork = () => {
    if (corked || !wire) return;
    corked = true;
    wire.cork();
    turns.later(uncork);
  };
  const deliver = (bytes: Uint8Array) => (events ? events.message(bytes) : early.push(bytes));

  socket.addEventListener("message", ({ data }) => {
    // A text message is no frame: an empty one is refused by the decoder.
    if (data instanceof Uint8Array) deliver(data);
    else deliver(data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0));
  });
  socket.addEventListener("error", () => {});
  socket.addEventListener("close", ({ code, reason }) => {
    ended = { code, reason };
    events?.close(ended);
  });

  return {
    send(frame) {
      if (socket.readyState !== OPEN) return;
      cork();
      if (callsBack) return socket.send(frame, left);
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
    rest() {
      if (!turns.next || !socket.pause) return;
      socket.pause();
      turns.next(() => socket.resume?.());
    },
    close(code, reason) {
      socket.close(closable(code), reason.slice(0, MAX_CLOSE_REASON));
      // Whoever says goodbye may end the process before anything later happens.
      if (corked) uncork();
      if (!ended && socket.terminate) setTimeout(() => ended || socket.terminate?.(), CLOSE_TIMEOUT_MS);
    },
  };
}

/** Browsers let a page send 1000 and 3000-4999 only. */
function closable(code: number): number {
  return code === CLOSE.normal || code >= 3000 ? code : 4000 + (code % 1000);
}
