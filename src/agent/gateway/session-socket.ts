/** A WebSocket that one session has for itself: what comes in waits its turn, what goes out is taken before the next, silence ends it. */

import type { RawData, WebSocket } from "ws";

/** Bytes that have come in and wait; beyond, the client is held back. Some clients give up when they are for a minute. */
const MAX_WAITING = 1_048_576;
/** Added to each message's length, so that a flood of tiny ones is bounded too. */
const MESSAGE_COST = 64;
/** How often a client that is held back is written to, in milliseconds: what is not read from cannot be seen to be gone. */
const PROBE_MS = 1_000;
/** After so many heartbeats without a sign of life a client is dead. */
const DEAD_AFTER = 3;

export class SessionSocket {
  /** Resolves with the close code: `CLOSE.cut` when nobody said goodbye. */
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #waiting: Buffer[] = [];
  #bytes = 0;
  #wake: () => void = () => {};
  #beats = 0;
  /** While the client is held back. */
  #probe: NodeJS.Timeout | undefined;

  /** Make it in the tick in which the socket opens: nothing is lost before anybody asks for it. */
  constructor(socket: WebSocket, { heartbeatMs }: { heartbeatMs: number }) {
    this.#socket = socket;
    const heartbeat = setInterval(() => this.#beat(), heartbeatMs);
    const heard = () => {
      this.#beats = 0;
    };
    socket.on("ping", heard).on("pong", heard);
    socket.on("message", (data) => {
      heard();
      this.#receive(data);
    });
    this.closed = new Promise((resolve) => {
      socket.once("close", (code) => {
        clearInterval(heartbeat);
        clearInterval(this.#probe);
        this.#wake();
        resolve(code);
      });
    });
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Resolves when the network took it: awaiting it is the back-pressure. Rejects when the client is gone. */
  send(message: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(message, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** What the client says, in order, text as its bytes; ends with the connection. Read once. */
  async *messages(): AsyncGenerator<Buffer, void, void> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message) {
        yield message;
        this.#bytes -= message.length + MESSAGE_COST;
        if (this.#bytes <= MAX_WAITING) this.#goOn();
      } else if (this.#socket.readyState === this.#socket.CLOSED) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  /** Says goodbye after what was sent, and cuts a client that does not answer within seconds. Idempotent. */
  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    this.#goOn();
  }

  #receive(data: RawData): void {
    const message = Buffer.isBuffer(data) ? data : Buffer.concat([data].flat().map((part) => new Uint8Array(part)));
    this.#waiting.push(message);
    this.#bytes += message.length + MESSAGE_COST;
    if (this.#bytes > MAX_WAITING) this.#holdBack();
    this.#wake();
  }

  #holdBack(): void {
    if (this.#socket.isPaused) return;
    this.#socket.pause();
    this.#probe = setInterval(() => this.#socket.pong(), PROBE_MS);
  }

  #goOn(): void {
    clearInterval(this.#probe);
    if (this.#socket.isPaused) this.#socket.resume();
  }

  /**
   * A pong that nobody asked for keeps clients that never ask alive while they are held back; a ping asks for a sign of
   * life. Silence counts only where nothing waits in either direction: a client that does not read cannot answer.
   */
  #beat(): void {
    if (!this.open) return;
    this.#beats = this.#socket.isPaused || this.#socket.bufferedAmount > 0 ? 0 : this.#beats + 1;
    if (this.#beats >= DEAD_AFTER) return this.#socket.terminate();
    this.#socket.pong();
    this.#socket.ping();
  }
}
