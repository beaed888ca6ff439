/** A session beside the one that suffers, over a connection of its own: every byte that comes back is compared. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Client, SessionOptions } from "../../src/client/client.ts";
import type { RemoteSession } from "../../src/client/session.ts";
import type { Packet } from "../../src/protocol/packet.ts";
import type { TestAgent } from "../support/agent.ts";
import { connectTo } from "./stage.ts";

/** More than a frame, less than a window. */
const PULSE_BYTES = 40_000;

export class Neighbour {
  readonly #client: Client;
  readonly #session: RemoteSession;
  readonly #packets: AsyncGenerator<Packet, void, void>;

  /** An exec of `cat` in this container. */
  static async start(
    agent: Pick<TestAgent, "url" | "token">,
    container: string,
    options?: SessionOptions,
  ): Promise<Neighbour> {
    const client = connectTo(agent);
    const session = await client.exec(container, { command: ["cat"], tty: false, stdin: true }, options);
    return new Neighbour(client, session);
  }

  private constructor(client: Client, session: RemoteSession) {
    this.#client = client;
    this.#session = session;
    this.#packets = session.packets();
  }

  /** Sends random bytes and resolves when exactly they have come back. */
  async pulse(): Promise<void> {
    const bytes = randomBytes(PULSE_BYTES);
    await this.#session.send({ type: "stdin", bytes });
    let back = Buffer.alloc(0);
    while (back.length < bytes.length) {
      const { value: packet } = await this.#packets.next();
      assert.equal(packet?.type, "stdout", "the neighbour's session broke");
      if (packet?.type === "stdout") back = Buffer.concat([back, packet.bytes]);
    }
    assert.ok(back.equals(bytes), "the neighbour's bytes were changed");
  }

  /** Ends its input; nothing more may come, and the exit status is 0. */
  async stop(): Promise<void> {
    await this.pulse();
    await this.#session.send({ type: "end" });
    const { value: packet } = await this.#packets.next();
    assert.deepEqual(packet, { type: "exit", status: { code: 0 } });
    await this.#packets.next();
    await this.#client.close();
  }

  /** Lets go of everything, however it stands. */
  close(): Promise<void> {
    return this.#client.close();
  }
}
