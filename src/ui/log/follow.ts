/** One container's log on the page: the lines there are, then the new ones as they come, and the way back after a break. */

import { signal } from "@preact/signals";
import type { RemoteSession } from "../../client/session.ts";
import type { FairleadError } from "../../protocol/errors.ts";
import type { LogCursor, LogsBody } from "../../protocol/open.ts";
import type { Packet } from "../../protocol/packet.ts";
import { failure } from "../failure.ts";
import type { Way } from "../link.ts";
import { Book } from "./book.ts";
import { type Line, LineAssembler } from "./lines.ts";

/** Lines from before, at the first opening. */
const TAIL = 1_000;
/** Milliseconds that the agent keeps the place while the connection is lost. */
const GRACE = 60_000;
/** Milliseconds of work after which the browser gets its turn. */
const SLICE = 8;

export type FollowState =
  | { state: "opening" }
  | { state: "following" }
  /** The container stopped, or its log has an end. */
  | { state: "ended" }
  | { state: "failed"; error: FairleadError };

export class Follow {
  readonly book = new Book();
  readonly state = signal<FollowState>({ state: "opening" });
  /** Rises when the book has changed. */
  readonly revision = signal(0);
  /** A reader who scrolled up: what they look at must not be pushed out, so a full book stops the stream. */
  readonly paused = signal(false);
  readonly #container: string;
  readonly #link: Way;
  #cursor: LogCursor | undefined;
  #session: RemoteSession | undefined;
  #closed = false;
  #goOn: () => void = () => {};

  constructor(container: string, link: Way) {
    this.#container = container;
    this.#link = link;
  }

  get live(): boolean {
    const { state } = this.state.value;
    return state === "opening" || state === "following";
  }

  /** The connection is away, and nothing comes until it is back. */
  get waiting(): boolean {
    return this.#link.broken.value;
  }

  /** Until the log ends or breaks; the outcome is the state. Called again it goes on after the last line it has. Never rejects. */
  async run(): Promise<void> {
    this.state.value = { state: "opening" };
    try {
      const options = { onDrop: "keep", grace: GRACE } as const;
      const session = await this.#link.client.logs(this.#container, this.#body(), options);
      this.#session = session;
      if (this.#closed) return await session.close();
      this.state.value = { state: "following" };
      await this.#read(session);
      this.state.value = { state: "ended" };
    } catch (thrown) {
      this.state.value = { state: "failed", error: failure(thrown) };
    } finally {
      this.#session = undefined;
    }
  }

  pause(on: boolean): void {
    this.paused.value = on;
    if (!on) this.#goOn();
  }

  clear(): void {
    this.book.clear();
    this.revision.value++;
    this.#goOn();
  }

  filter(text: string): void {
    this.book.filter(text);
    this.revision.value++;
  }

  /** The last call. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#goOn();
    await this.#session?.close();
  }

  #body(): LogsBody {
    const body = { follow: true, stdout: true, stderr: true, timestamps: true };
    return this.#cursor ? { ...body, after: this.#cursor } : { ...body, tail: TAIL };
  }

  async #read(session: RemoteSession): Promise<void> {
    const lines = new LineAssembler();
    const unsure: Line[] = [];
    let turn = performance.now();
    for await (const packet of session.packets()) {
      unsure.push(...linesOf(packet, lines));
      // The cursor follows its lines at once. Lines that came without it would come again if the session broke here.
      if (packet.type === "cursor") {
        this.#cursor = packet.cursor;
        this.#add(unsure.splice(0));
      }
      if (performance.now() - turn > SLICE) {
        await nextTurn();
        turn = performance.now();
      }
      while (this.paused.peek() && this.book.full && !this.#closed) {
        await new Promise<void>((resolve) => (this.#goOn = resolve));
      }
    }
    this.#add([...unsure, ...lines.flush()]);
  }

  #add(lines: Line[]): void {
    if (lines.length === 0) return;
    this.book.append(lines);
    this.revision.value++;
  }
}

function linesOf(packet: Packet, lines: LineAssembler): Line[] {
  if (packet.type === "stdout" || packet.type === "stderr") return lines.push(packet.type, packet.bytes);
  if (packet.type === "gap") return [{ from: "note", time: "", text: `Lines are missing here: ${packet.gap.why}` }];
  return [];
}

/** A message to oneself comes back after everything that is waiting, in background tabs without delay too. */
async function nextTurn(): Promise<void> {
  const { port1, port2 } = new MessageChannel();
  await new Promise<void>((resolve) => {
    port1.addEventListener("message", () => resolve(), { once: true });
    port1.start();
    port2.postMessage(undefined);
  });
  port1.close();
}
