/** The bytes of a copy on their way, compared at the end with what the agent says it has moved. */

import { createCipheriv } from "node:crypto";
import type { RemoteSession } from "../../client/session.ts";
import type { Digest, ExitStatus } from "../../protocol/packet.ts";
import { Failure } from "../failure.ts";
import type { Progress } from "./progress.ts";

/** Of AES-GCM, in bytes: zeros, for a key that is used once. */
const NONCE = 12;

export interface TransferParts {
  session: RemoteSession;
  /** With which the agent was asked for the copy, and nothing else ever: what it moved is compared by their GMAC. */
  key: Buffer;
  progress: Progress;
}

export class Transfer {
  readonly #session: RemoteSession;
  readonly #progress: Progress;
  readonly #mac: ReturnType<typeof createMac>;
  #bytes = 0;
  /** The agent has said what it moved, and that is what was moved here. */
  #same = false;

  constructor({ session, key, progress }: TransferParts) {
    this.#session = session;
    this.#progress = progress;
    this.#mac = createMac(key);
  }

  /** What comes out of the container. Ends only after the agent has said what it sent, and that is what came. Read once. */
  async *receive(): AsyncGenerator<Uint8Array, void, void> {
    for await (const packet of this.#session.packets()) {
      if (packet.type === "stdout") {
        this.#count(packet.bytes);
        yield packet.bytes;
      } else if (packet.type === "digest") this.#compare(packet.digest);
      else if (packet.type === "exit") return this.#finish(packet.status);
    }
    throw new Failure("The copy ended before it was complete. Run it again.");
  }

  /** Nobody looks at these bytes any more, of what was received. Need not be said. */
  recycle(bytes: Uint8Array): void {
    this.#session.recycle(bytes);
  }

  /** Resolves when the engine has unpacked everything, which is what was sent. Rejects with what went wrong first. */
  async send(archive: AsyncIterable<Uint8Array>): Promise<void> {
    const session = this.#session;
    let failed: unknown;
    void this.#sendAll(archive).catch((error: unknown) => {
      failed = error;
      // What is refused over there is told there; what cannot be read here ends it.
      if (error instanceof Failure) void session.close();
    });
    for await (const packet of session.packets()) {
      if (packet.type === "digest") this.#compare(packet.digest);
      else if (packet.type === "exit") return this.#finish(packet.status);
    }
    throw failed ?? new Failure("The copy ended before it was complete. Run it again.");
  }

  async #sendAll(archive: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of archive) {
      this.#count(bytes);
      await this.#session.send({ type: "stdin", bytes });
    }
    await this.#session.send({ type: "end" });
  }

  #count(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#mac.setAAD(bytes);
    this.#progress.add(bytes.length);
  }

  #compare(digest: Digest): void {
    this.#mac.final();
    const same = "gmac" in digest && digest.gmac === this.#mac.getAuthTag().toString("hex");
    this.#same = same && digest.bytes === this.#bytes;
    if (!this.#same)
      throw new Failure(
        `The copy is not what was sent: ${this.#bytes} bytes here, ${digest.bytes} at the agent. Run it again.`,
      );
  }

  #finish(status: ExitStatus): void {
    if (!("code" in status)) throw new Failure(`Whether the copy is complete is not known: ${status.unknown}.`);
    if (!this.#same) throw new Failure("The agent did not say what it has moved. Run the copy again.");
  }
}

function createMac(key: Buffer) {
  return createCipheriv("aes-128-gcm", key, Buffer.alloc(NONCE));
}
