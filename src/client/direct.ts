/** A session whose client is another door of this program: nothing lies between them that could be lost, so nothing is resumed. */

import type { Channel } from "../mux/channel.ts";
import { CLOSE } from "../mux/errors.ts";
import { type InnerChannelOptions, openInnerChannel } from "../mux/inner-channel.ts";
import { Sequence } from "../mux/sequence.ts";
import { FairleadError } from "../protocol/errors.ts";
import { json } from "../protocol/json.ts";
import { type Opened, type OpenHeader, readReply } from "../protocol/open.ts";
import { decodePacket, encodePacket, type Packet } from "../protocol/packet.ts";

/** What a door asks for in the name of its client; the same as a channel's. */
export interface DirectRequest {
  header: OpenHeader;
  body: object;
}

export class DirectSession {
  readonly #channel: Channel;
  readonly #sequence: Sequence;
  #opened: Opened | undefined;
  #answer: { resolve: (opened: Opened) => void; reject: (error: Error) => void } | undefined;

  /** Rejects with the refusal, or with the signal's reason when that comes first. */
  static async open(request: DirectRequest, inner: InnerChannelOptions, signal: AbortSignal): Promise<DirectSession> {
    signal.throwIfAborted();
    const session = new DirectSession(request, inner);
    const leave = () => session.#end(signal.reason as Error);
    signal.addEventListener("abort", leave, { once: true });
    try {
      session.#opened = await new Promise<Opened>((resolve, reject) => {
        session.#answer = { resolve, reject };
      });
      return session;
    } finally {
      signal.removeEventListener("abort", leave);
    }
  }

  private constructor({ header, body }: DirectRequest, inner: InnerChannelOptions) {
    const closed = ({ reason }: { reason: string }) =>
      this.#end(new FairleadError("session-gone", `The session was closed: ${reason}.`));
    this.#sequence = new Sequence({ budget: inner.budget, detached: closed });
    this.#channel = openInnerChannel({ header: json(header), body: json(body) }, inner);
    this.#sequence.attach(this.#channel, 0, { onReply: (bytes) => this.#hear(readReply(bytes)) });
  }

  get opened(): Opened {
    if (!this.#opened) throw new Error("the session is not open yet");
    return this.#opened;
  }

  /**
   * Everything the session says, in order. Asking for the next packet says that this one is dealt with. Ends after an
   * `exit` packet; throws a FairleadError when the session was ended. Read once; the session is closed when it is left.
   */
  async *packets(): AsyncGenerator<Packet, void, void> {
    try {
      for await (const { tag, payload } of this.#sequence.receive()) {
        const packet = decodePacket(tag, payload);
        if (!packet) continue;
        if (packet.type === "error") throw FairleadError.from(packet.problem);
        yield packet;
        if (packet.type === "exit") return;
      }
    } finally {
      this.close();
    }
  }

  /** Resolves when there is room for more; of sizes only the newest is kept waiting. Rejects once the session is over. */
  async send(packet: Packet): Promise<void> {
    const { tag, payload } = encodePacket(packet);
    if (packet.type === "resize") return this.#sequence.sendLatest(tag, payload);
    return this.#sequence.send(tag, payload);
  }

  /** The client is done with it: what runs in it is ended. Idempotent. */
  close(): void {
    this.#end(new FairleadError("client-gone", "The client closed the session."));
  }

  #hear(answer: Opened | FairleadError): void {
    if (answer instanceof FairleadError) this.#end(answer);
    else this.#answer?.resolve(answer);
  }

  #end(error: Error): void {
    this.#answer?.reject(error);
    this.#sequence.close(error);
    this.#channel.close(CLOSE.normal, "done");
  }
}
