/** Long-lived requests (logs, events, exec, attach) on sockets of our own: node:http would hand out one buffer per log line. */

import { Intake } from "../../../net/intake.ts";
import { RuntimeError } from "../runtime.ts";
import { Chunked } from "./chunked.ts";
import { connect, type Endpoint } from "./endpoint.ts";
import { errorFromCause, errorFromStatus } from "./errors.ts";
import { type Head, MAX_HEAD, parseHead, renderRequest, type WireRequest } from "./wire-head.ts";

/** An error's body is read up to here. */
const MAX_ERROR_BODY = 64 * 1024;

export interface WireOptions {
  signal: AbortSignal;
  /** Milliseconds from the connect to the end of the answer's head. */
  timeout: number;
}

/** An accepted request. Whoever holds it must end it: by reading to the end or by `destroy`. */
export class Wire {
  readonly #intake: Intake;
  readonly #head: Head;
  readonly #endpoint: Endpoint;

  constructor(intake: Intake, head: Head, endpoint: Endpoint) {
    this.#intake = intake;
    this.#head = head;
    this.#endpoint = endpoint;
  }

  /** The answer's bytes, each piece valid until the next one is asked for. Throws `engine-unavailable` when it breaks off. */
  body(): AsyncGenerator<Buffer, void, undefined> {
    return this.#told(this.#head.chunked ? this.#chunks((size) => Buffer.allocUnsafeSlow(size)) : this.#plain());
  }

  /** The same for bulk: no memory is made for it, and its pieces never outlive the next one. */
  bulk(): AsyncGenerator<Buffer, void, undefined> {
    return this.#told(this.#head.chunked ? this.#chunks() : this.#plain());
  }

  async *#told(pieces: AsyncGenerator<Buffer, void, undefined>): AsyncGenerator<Buffer, void, undefined> {
    try {
      yield* pieces;
    } catch (error) {
      throw errorFromCause(error, this.#endpoint.host);
    } finally {
      this.destroy();
    }
  }

  /** The body's pieces stay valid for good. */
  get lasting(): boolean {
    return this.#head.chunked;
  }

  /** Resolves when there is something to read, the end included; for whoever does not read the body yet. */
  ready(): Promise<void> {
    return this.#intake.ready();
  }

  /** What a raw stream begins with, `size` bytes or all of it; it stays there to be read. That it breaks off is for the reader to hear. */
  async peek(size: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    try {
      for (let have = 0; have < size; ) {
        const bytes = await this.#intake.next();
        if (!bytes) break;
        pieces.push(Buffer.from(bytes));
        have += bytes.length;
      }
    } catch {}
    const seen = Buffer.concat(pieces);
    this.#intake.unread(seen);
    return seen;
  }

  /** Resolves when the kernel took the bytes; rejects once the connection takes no more. */
  write(bytes: Uint8Array): Promise<void> {
    const { socket } = this.#intake;
    return new Promise((resolve, reject) => socket.write(bytes, (error) => (error ? reject(error) : resolve())));
  }

  /** Half-close: nothing more to write, still reading. */
  end(): Promise<void> {
    const { socket } = this.#intake;
    if (socket.writableEnded || socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      socket.once("close", resolve);
      socket.end(resolve);
    });
  }

  destroy(reason?: Error): void {
    this.#intake.destroy(reason);
  }

  async *#chunks(memory?: (size: number) => Buffer): AsyncGenerator<Buffer, void, undefined> {
    const chunked = new Chunked();
    while (!chunked.done) {
      const bytes = await this.#intake.next();
      if (!bytes) throw new Error("the answer broke off");
      const payload = chunked.push(bytes, memory?.(bytes.length) ?? bytes);
      if (payload.length > 0) yield payload;
    }
  }

  async *#plain(): AsyncGenerator<Buffer, void, undefined> {
    let left = this.#head.length ?? Number.POSITIVE_INFINITY;
    while (left > 0) {
      const bytes = await this.#intake.next();
      if (!bytes && this.#head.length !== undefined) throw new Error("the answer broke off");
      if (!bytes) return;
      left -= bytes.length;
      yield bytes;
    }
  }
}

/** Sends the request and waits for the answer's head. Throws RuntimeError, or the signal's reason. */
export async function openWire(endpoint: Endpoint, request: WireRequest, options: WireOptions): Promise<Wire> {
  const intake = new Intake({ collects: "path" in endpoint.target });
  intake.follow(connect(endpoint, intake.onread));
  return beginRequest({ endpoint, intake, request }, options, async () => {
    const head = await readHead(intake);
    await refuse(head, request, intake);
    return new Wire(intake, head, endpoint);
  });
}

/** Sends the request and waits for `answered`, which must come in time; the signal ends the connection at any time. */
export async function beginRequest<T>(
  { endpoint, intake, request }: { endpoint: Endpoint; intake: Intake; request: WireRequest },
  { signal, timeout }: WireOptions,
  answered: () => Promise<T>,
): Promise<T> {
  const abort = () => intake.destroy(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  intake.socket.once("close", () => signal.removeEventListener("abort", abort));
  const late = new RuntimeError("engine-unavailable", `The engine at ${endpoint.host} did not answer in time.`);
  const timer = setTimeout(() => intake.destroy(late), timeout);
  try {
    signal.throwIfAborted();
    intake.socket.write(renderRequest(request));
    return await answered();
  } catch (error) {
    intake.destroy();
    signal.throwIfAborted();
    throw errorFromCause(error, endpoint.host);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the engine says that it has done what was asked. Throws RuntimeError when it says anything else. */
export async function answerOf(intake: Intake, request: WireRequest, known?: Head): Promise<void> {
  await refuse(known ?? (await readHead(intake)), request, intake);
}

export async function readHead(intake: Intake): Promise<Head> {
  let seen = Buffer.alloc(0);
  for (;;) {
    const end = seen.indexOf("\r\n\r\n");
    if (end >= 0) {
      intake.unread(seen.subarray(end + 4));
      return parseHead(seen.toString("latin1", 0, end));
    }
    if (seen.length > MAX_HEAD) throw new Error("the answer's head has no end");
    const bytes = await intake.next();
    if (!bytes) throw new Error("the connection ended before an answer");
    seen = Buffer.concat([seen, bytes]);
  }
}

async function refuse(head: Head, request: WireRequest, intake: Intake): Promise<void> {
  const raw = head.status === 101 || (head.status === 200 && !head.chunked && head.length === undefined);
  if (request.upgrade ? raw : head.status === 200) return;
  if (head.status < 300) {
    throw new RuntimeError("unsupported", "The engine, or a proxy before it, did not hand over the raw stream.");
  }
  throw errorFromStatus(head.status, await readErrorWords(head, intake));
}

async function readErrorWords(head: Head, intake: Intake): Promise<string> {
  const chunked = head.chunked ? new Chunked() : undefined;
  const limit = Math.min(head.length ?? MAX_ERROR_BODY, MAX_ERROR_BODY);
  let text = "";
  while (text.length < limit) {
    const bytes = await intake.next();
    if (!bytes) break;
    text += (chunked?.push(bytes) ?? bytes).toString();
    if (chunked?.done) break;
  }
  try {
    const { message } = JSON.parse(text) as { message?: unknown };
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}
