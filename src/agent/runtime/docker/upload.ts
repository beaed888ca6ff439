/** A request whose body is sent piece by piece, for as long as the engine takes it. */

import { connect, type Endpoint } from "./endpoint.ts";
import { errorFromCause } from "./errors.ts";
import { Intake } from "./intake.ts";
import { answerOf, beginRequest, readHead, type WireOptions } from "./wire.ts";
import type { WireRequest } from "./wire-head.ts";

const CONTINUE = 100;
const CRLF = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");

/** Accepted: the engine has looked at the request and reads what comes. Whoever holds it ends it: `finish` or `destroy`. */
export class Upload {
  readonly #intake: Intake;
  readonly #host: string;
  /** The engine's last word, which may come before everything is sent. */
  readonly #answer: Promise<void>;
  #answered = false;

  constructor(intake: Intake, request: WireRequest, host: string) {
    this.#intake = intake;
    this.#host = host;
    this.#answer = answerOf(intake, request);
    this.#answer.then(
      () => (this.#answered = true),
      () => {},
    );
  }

  /** Resolves when the kernel took the bytes, or the engine wants no more. Rejects with why the engine stopped. */
  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0 || this.#answered) return;
    // A write that fails says less than the engine, whose word is on its way then.
    const written = this.#send(bytes).catch(() => this.#answer);
    await this.#heard(Promise.race([written, this.#answer]));
  }

  /** Says that this was all; resolves when the engine says that it is done. */
  async finish(): Promise<void> {
    if (!this.#answered) this.#intake.socket.write(LAST_CHUNK);
    await this.#heard(this.#answer);
    this.destroy();
  }

  /** The engine notices that the body is not complete. Idempotent. */
  destroy(): void {
    this.#intake.destroy();
  }

  #send(bytes: Uint8Array): Promise<void> {
    const { socket } = this.#intake;
    return new Promise((resolve, reject) => {
      socket.cork();
      socket.write(`${bytes.length.toString(16)}\r\n`);
      socket.write(bytes);
      socket.write(CRLF, (error) => (error ? reject(error) : resolve()));
      socket.uncork();
    });
  }

  async #heard(word: Promise<void>): Promise<void> {
    try {
      await word;
    } catch (error) {
      this.destroy();
      throw errorFromCause(error, this.#host);
    }
  }
}

/** Resolves once the engine wants the body. Throws RuntimeError, or the signal's reason; the signal ends it at any time. */
export async function openUpload(endpoint: Endpoint, request: WireRequest, options: WireOptions): Promise<Upload> {
  const intake = new Intake((onread) => connect(endpoint, onread));
  return beginRequest({ endpoint, intake, request }, options, async () => {
    const head = await readHead(intake);
    if (head.status !== CONTINUE) await answerOf(intake, request, head);
    return new Upload(intake, request, endpoint.host);
  });
}
