/** One process with its terminal on the page: what happens between pressing the button and the exit code. */

import { signal } from "@preact/signals";
import type { RemoteSession } from "../../client/session.ts";
import { KeySequence } from "../../lib/key-sequence.ts";
import type { FairleadError } from "../../protocol/errors.ts";
import type { ExitStatus, Packet } from "../../protocol/packet.ts";
import { failure } from "../failure.ts";
import type { Way } from "../link.ts";
import type { Screen } from "./screen.ts";
import type { ShellRequest, Size, Start } from "./start.ts";

/** Bytes of one input packet. */
const PIECE = 16 * 1024;
/** Typed or pasted bytes that may wait for the agent; a paste beyond it is refused as a whole. */
const MAX_WAITING = 8 * 1024 * 1024;
/** Ctrl-P Ctrl-Q, as of `docker attach` and `ctl attach`. */
const LEAVE = Uint8Array.of(0x10, 0x11);

export type ShellState =
  | { state: "idle" }
  | { state: "opening" }
  /** `tty`: it has a terminal. `stdin`: it gets what is typed. */
  | { state: "running"; tty: boolean; stdin: boolean }
  | { state: "ended"; status: ExitStatus }
  /** It goes on without us. */
  | { state: "left" }
  /** `ran`: it had begun, so that part of what it does may be done. */
  | { state: "failed"; error: FairleadError; ran: boolean };

export class Shell {
  readonly state = signal<ShellState>({ state: "idle" });
  readonly request = signal<ShellRequest>({ command: [], user: "" });
  /** The last paste was too large to be sent. */
  readonly refused = signal(false);
  /** Bytes that the agent had to drop because this page did not keep up. */
  readonly missing = signal(0);
  readonly #start: Start;
  readonly #link: Way;
  #session: RemoteSession | undefined;
  #leaving: KeySequence | undefined;
  #left = false;
  #closed = false;
  #sending: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(start: Start, link: Way) {
    this.#start = start;
    this.#link = link;
  }

  get live(): boolean {
    const { state } = this.state.value;
    return state === "opening" || state === "running";
  }

  /** Runs to the end on this screen; the outcome is the state. Never rejects. */
  async run(request: ShellRequest, screen: Screen): Promise<void> {
    this.request.value = request;
    this.state.value = { state: "opening" };
    this.missing.value = 0;
    this.#left = false;
    this.#leaving = this.#start.goesOn && new KeySequence(LEAVE);
    try {
      const { size } = screen;
      const session = await this.#start.open(this.#link.client, request, size);
      this.#session = session;
      if (this.#closed) return await session.close();
      const { tty = true, stdin = true } = session;
      screen.connect({ tty, stdin });
      this.state.value = { state: "running", tty, stdin };
      if (screen.size.cols !== size.cols || screen.size.rows !== size.rows) this.resize(screen.size);
      const status = await this.#show(session, screen);
      this.state.value = this.#left ? { state: "left" } : { state: "ended", status };
    } catch (thrown) {
      this.state.value = { state: "failed", error: failure(thrown), ran: this.#session !== undefined };
    } finally {
      this.#session = undefined;
    }
  }

  /** Keeps the order of what is typed; input for a command that is gone is dropped, as a terminal does. */
  input(typed: Uint8Array): void {
    this.refused.value = this.#waiting + typed.length > MAX_WAITING;
    if (this.refused.value) return;
    const { pass: bytes, hit } = this.#leaving?.feed(typed) ?? { pass: typed, hit: false };
    for (let at = 0; at < bytes.length; at += PIECE) {
      this.#send({ type: "stdin", bytes: bytes.subarray(at, at + PIECE) }, Math.min(PIECE, bytes.length - at));
    }
    if (hit) void this.#sending.then(() => this.leave());
  }

  resize(size: Size): void {
    if (!this.#start.onlyLooks) this.#send({ type: "resize", ...size }, 0);
  }

  /** Of what goes on: lets go of it. */
  leave(): void {
    this.#left = true;
    void this.#session?.close();
  }

  /** Ends a command with everything it started, and lets go of what goes on. The last call. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#session?.close();
  }

  #send(packet: Packet, size: number): void {
    const session = this.#session;
    if (!session) return;
    this.#waiting += size;
    this.#sending = this.#sending
      .then(() => session.send(packet))
      .catch(() => {})
      .finally(() => (this.#waiting -= size));
  }

  /** Everything that is written, as fast as the screen takes it and no faster, then how it ended. */
  async #show(session: RemoteSession, screen: Screen): Promise<ExitStatus> {
    for await (const packet of session.packets()) {
      if (packet.type === "stdout" || packet.type === "stderr") await screen.write(packet.bytes);
      else if (packet.type === "gap") {
        this.missing.value += packet.gap.bytes ?? 0;
        await screen.note(`Output is missing here: ${packet.gap.why}`);
      } else if (packet.type === "exit") return packet.status;
    }
    return { unknown: "the agent did not say" };
  }
}
