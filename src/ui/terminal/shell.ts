/** One command in a container, with its terminal on the page: what happens between pressing the button and the exit code. */

import { signal } from "@preact/signals";
import type { RemoteSession } from "../../client/session.ts";
import type { FairleadError } from "../../protocol/errors.ts";
import type { ExitStatus, Packet } from "../../protocol/packet.ts";
import { failure } from "../failure.ts";
import type { Link } from "../link.ts";
import type { Screen } from "./screen.ts";

/** Milliseconds that the command survives a lost connection, so that a closed lid or a tunnel in between costs nothing. */
const GRACE = 60_000;
/** Bytes of one input packet. */
const PIECE = 16 * 1024;
/** Typed or pasted bytes that may wait for the agent; a paste beyond it is refused as a whole. */
const MAX_WAITING = 8 * 1024 * 1024;

export type ShellState =
  | { state: "idle" }
  | { state: "opening" }
  | { state: "running" }
  | { state: "ended"; status: ExitStatus }
  /** `ran`: it had begun, so that part of what it does may be done. */
  | { state: "failed"; error: FairleadError; ran: boolean };

export interface ShellRequest {
  command: string[];
  /** Empty: the container's own. */
  user: string;
}

export class Shell {
  readonly state = signal<ShellState>({ state: "idle" });
  readonly request = signal<ShellRequest>({ command: [], user: "" });
  /** The last paste was too large to be sent. */
  readonly refused = signal(false);
  readonly #container: string;
  readonly #link: Link;
  #session: RemoteSession | undefined;
  #closed = false;
  #sending: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(container: string, link: Link) {
    this.#container = container;
    this.#link = link;
  }

  get live(): boolean {
    const { state } = this.state.value;
    return state === "opening" || state === "running";
  }

  /** Runs the command to its end on this screen; the outcome is the state. Never rejects. */
  async run(request: ShellRequest, screen: Screen): Promise<void> {
    this.request.value = request;
    this.state.value = { state: "opening" };
    try {
      const { command, user } = request;
      const size = screen.size;
      const body = { command, tty: true, stdin: true, env: ["TERM=xterm-256color"], size };
      const options = { onDrop: "keep", grace: GRACE } as const;
      const session = await this.#link.client.exec(this.#container, user === "" ? body : { ...body, user }, options);
      this.#session = session;
      if (this.#closed) return await session.close();
      this.state.value = { state: "running" };
      if (screen.size.cols !== size.cols || screen.size.rows !== size.rows) this.resize(screen.size);
      this.state.value = { state: "ended", status: await show(session, screen) };
    } catch (thrown) {
      this.state.value = { state: "failed", error: failure(thrown), ran: this.#session !== undefined };
    } finally {
      this.#session = undefined;
    }
  }

  /** Keeps the order of what is typed; input for a command that is gone is dropped, as a terminal does. */
  input(bytes: Uint8Array): void {
    this.refused.value = this.#waiting + bytes.length > MAX_WAITING;
    if (this.refused.value) return;
    for (let at = 0; at < bytes.length; at += PIECE) {
      this.#send({ type: "stdin", bytes: bytes.subarray(at, at + PIECE) }, Math.min(PIECE, bytes.length - at));
    }
  }

  resize(size: { cols: number; rows: number }): void {
    this.#send({ type: "resize", ...size }, 0);
  }

  /** Ends the command with everything it started. The last call. */
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
}

/** Everything the command writes, as fast as the screen takes it and no faster, then how it ended. */
async function show(session: RemoteSession, screen: Screen): Promise<ExitStatus> {
  for await (const packet of session.packets()) {
    if (packet.type === "stdout" || packet.type === "stderr") await screen.write(packet.bytes);
    else if (packet.type === "exit") return packet.status;
  }
  return { unknown: "the agent did not say" };
}
