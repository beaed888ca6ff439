/** TCP connections from here to a container: each on its own, so that what befalls one harms no other. */

import type { Socket } from "node:net";
import { finished } from "node:stream/promises";
import type { Client, RemoteForward } from "../client/client.ts";
import type { RemoteSession } from "../client/session.ts";
import { writeOut } from "../lib/room.ts";
import { Intake } from "../net/intake.ts";
import { reset } from "../net/reset.ts";
import { FairleadError } from "../protocol/errors.ts";
import type { Messages } from "./messages.ts";
import { nodeOf, type Place } from "./place.ts";

export interface ForwardingOptions {
  client: Client;
  place: Place;
  ports: readonly number[];
  messages: Messages;
}

/** The same complaint is made once in so many milliseconds: a browser tries again and again. */
const COMPLAINT_MS = 5_000;

export class Forwarding {
  readonly #options: ForwardingOptions;
  readonly #complaints = new Map<string, number>();
  #forward: Promise<RemoteForward> | undefined;

  constructor(options: ForwardingOptions) {
    this.#options = options;
  }

  /** The forward of now: asked for again when the agent or the container has been restarted since. */
  open(): Promise<RemoteForward> {
    this.#forward ??= this.#open();
    return this.#forward;
  }

  /**
   * Carries one connection, of which nothing has been read, to its end. Never rejects: a failure is told, and the connection
   * is reset.
   */
  async carry(socket: Socket, port: number): Promise<void> {
    const intake = new Intake({ collects: false });
    intake.takeOver(socket);
    try {
      const session = await (await this.open()).dial(port);
      await new Passage(socket, intake, session).run();
      // Nobody over there hears anything any more.
      socket.destroySoon();
    } catch (error) {
      if (!socket.destroyed) this.#complain(port, error);
      reset(socket);
    }
  }

  async #open(): Promise<RemoteForward> {
    const { client, place, ports, messages } = this.#options;
    try {
      const forward = await client.forward(place.container, { ports: [...new Set(ports)] }, nodeOf(place));
      messages.explain(
        () => `forward ${forward.id} to container ${forward.container?.name} (${forward.container?.id})`,
      );
      void forward.ended.then((error) => {
        messages.explain(
          () => `the forward has ended (${error?.message ?? "closed"}); the next connection opens another`,
        );
        this.#forward = undefined;
      });
      return forward;
    } catch (error) {
      this.#forward = undefined;
      throw error;
    }
  }

  #complain(port: number, error: unknown): void {
    const words = error instanceof FairleadError ? error.message : String(error);
    const now = performance.now();
    const last = this.#complaints.get(words) ?? -COMPLAINT_MS;
    if (now - last < COMPLAINT_MS) return;
    this.#complaints.set(words, now);
    this.#options.messages.say(`A connection to port ${port} failed: ${words}`);
  }
}

/** One TCP connection and its session. */
class Passage {
  readonly #socket: Socket;
  readonly #intake: Intake;
  readonly #session: RemoteSession;

  constructor(socket: Socket, intake: Intake, session: RemoteSession) {
    this.#socket = socket;
    this.#intake = intake;
    this.#session = session;
  }

  /** Resolves when both directions have ended, or one end has reset it. Rejects with why the session failed. */
  async run(): Promise<void> {
    void this.#sendAll();
    try {
      for await (const packet of this.#session.packets()) {
        if (packet.type === "stdout") {
          await writeOut(this.#socket, packet.bytes);
          this.#session.recycle(packet.bytes);
        } else if (packet.type === "end") this.#socket.end();
        else if (packet.type === "reset") reset(this.#socket);
      }
    } finally {
      await this.#session.close();
    }
  }

  /** A local end that ends is half-closed over there; one that breaks off, also after that, is reset. */
  async #sendAll(): Promise<void> {
    const session = this.#session;
    try {
      for await (const bytes of this.#intake.pieces()) await session.send({ type: "stdin", bytes });
      await session.send({ type: "end" });
      await finished(this.#socket, { readable: false });
    } catch {
      await session.send({ type: "reset" }).catch(() => {});
      await session.close();
    }
  }
}
