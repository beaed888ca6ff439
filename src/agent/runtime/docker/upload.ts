/** A request whose body is sent piece by piece, for as long as the engine takes it. */

import { roomIn } from "../../../lib/room.ts";
import { Intake } from "../../../net/intake.ts";
import { connect, type Endpoint } from "./endpoint.ts";
import { errorFromCause } from "./errors.ts";
import { answerOf, beginRequest, readHead, type WireOptions } from "./wire.ts";
import type { WireRequest } from "./wire-head.ts";

/** Bytes that may wait for the engine: while it has some to read, neither side waits for the other. */
const MAX_WAITING = 1_048_576;
const CONTINUE = 100;
const CRLF = "\r\n";

/** Accepted: the engine has looked at the request and reads what comes. Whoever holds it ends it: `finish` or `destroy`. */
export class Upload {
  readonly #intake: Intake;
  readonly #host: string;
  /** The engine's last word, which may come before everything is sent. Nobody waits for room after it. */
  readonly #answer: Promise<void>;
  /** What ends the piece before. */
  #between = "";

  constructor(intake: Intake, request: WireRequest, host: string) {
    this.#intake = intake;
    this.#host = host;
    this.#answer = answerOf(intake, request).finally(() => this.destroy());
    this.#answer.catch(() => {});
  }

  /**
   * Resolves when there is room for more, or the engine wants no more. Rejects with why the engine stopped. The bytes
   * must not change until they have `left`.
   */
  async write(bytes: Uint8Array, left?: () => void): Promise<void> {
    const { socket } = this.#intake;
    if (!socket.destroyed) {
      if (bytes.length > 0) this.#send(bytes, left);
      if (socket.writableLength >= MAX_WAITING) await roomIn(socket);
    }
    // A write that fails says less than the engine does.
    if (socket.destroyed) await this.#heard();
  }

  /** Says that this was all; resolves when the engine says that it is done. */
  async finish(): Promise<void> {
    this.#intake.socket.write(`${this.#between}0${CRLF}${CRLF}`);
    await this.#heard();
  }

  /** The engine notices that the body is not complete. Idempotent. */
  destroy(): void {
    this.#intake.destroy();
  }

  /** One chunk. Those of one turn of the event loop leave in one write: each write wakes the engine, which takes the processor. */
  #send(bytes: Uint8Array, left?: () => void): void {
    const { socket } = this.#intake;
    if (socket.writableCorked === 0) {
      socket.cork();
      setImmediate(() => socket.uncork());
    }
    socket.write(`${this.#between}${bytes.length.toString(16)}${CRLF}`);
    socket.write(bytes, left);
    this.#between = CRLF;
  }

  async #heard(): Promise<void> {
    try {
      await this.#answer;
    } catch (error) {
      throw errorFromCause(error, this.#host);
    }
  }
}

/** Resolves once the engine wants the body. Throws RuntimeError, or the signal's reason; the signal ends it at any time. */
export async function openUpload(endpoint: Endpoint, request: WireRequest, options: WireOptions): Promise<Upload> {
  const intake = new Intake({ collects: false });
  intake.follow(connect(endpoint, intake.onread));
  return beginRequest({ endpoint, intake, request }, options, async () => {
    const head = await readHead(intake);
    if (head.status !== CONTINUE) await answerOf(intake, request, head);
    return new Upload(intake, request, endpoint.host);
  });
}
