/** A process at the other end of a WebSocket that speaks Kubernetes' remote command protocol. */

import { CLOSE } from "../../mux/errors.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Packet } from "../../protocol/packet.ts";
import {
  CHANNEL,
  messageOn,
  SizeReader,
  type Status,
  statusOfError,
  statusOfExit,
  V5,
} from "../../protocol/remote-command.ts";
import type { DirectSession } from "../../client/direct.ts";
import { asFairleadError } from "./problems.ts";
import type { SessionSocket } from "./session-socket.ts";

/** What the client wants to have; anything else would be a channel that it does not know. */
export interface Wanted {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
}

export class RemoteCommand {
  readonly #socket: SessionSocket;
  readonly #wanted: Wanted;
  readonly #sizes = new SizeReader();

  constructor(socket: SessionSocket, wanted: Wanted) {
    this.#socket = socket;
    this.#wanted = wanted;
  }

  /** Until the process has ended and the client was told how, or the client is gone. Never rejects. */
  async serve(opening: Promise<DirectSession>): Promise<void> {
    try {
      const session = await opening;
      void this.#socket.closed.then(() => session.close());
      // Clients wait for a first message before they take the terminal for connected; an empty channel is one.
      await this.#socket.send(Uint8Array.of(this.#first));
      void this.#pumpIn(session).catch(() => session.close());
      await this.#pumpOut(session);
    } catch (error) {
      await this.#finish(statusOfError(asFairleadError(error)));
    }
  }

  async #pumpOut(session: DirectSession): Promise<void> {
    for await (const packet of session.packets()) {
      if (packet.type === "exit") return this.#finish(statusOfExit(packet.status));
      const message = this.#messageOf(packet);
      if (message) await this.#socket.send(message);
    }
  }

  /** A message without content would end the session of some clients: there is none. */
  #messageOf(packet: Packet): Uint8Array | undefined {
    if (packet.type === "gap") return this.#noteGap(packet.gap.why);
    if (packet.type !== "stdout" && packet.type !== "stderr") return undefined;
    if (!this.#wanted[packet.type] || packet.bytes.length === 0) return undefined;
    return messageOn(CHANNEL[packet.type], packet.bytes);
  }

  #noteGap(why: string): Uint8Array | undefined {
    const { stdout, stderr } = this.#wanted;
    if (!stdout && !stderr) return undefined;
    const note = Buffer.from(`\r\n[fairlead: something is missing here: ${why}]\r\n`);
    return messageOn(stderr ? CHANNEL.stderr : CHANNEL.stdout, note);
  }

  get #first(): number {
    const { stdout, stderr } = this.#wanted;
    if (stdout) return CHANNEL.stdout;
    return stderr ? CHANNEL.stderr : CHANNEL.status;
  }

  /** The status is the last message, and the close code says that it was complete. */
  async #finish(status: Status): Promise<void> {
    const sent = this.#socket.send(messageOn(CHANNEL.status, Buffer.from(JSON.stringify(status))));
    await sent.then(
      () => this.#socket.close(CLOSE.normal, ""),
      () => this.#socket.close(CLOSE.internal, ""),
    );
  }

  async #pumpIn(session: DirectSession): Promise<void> {
    let reading = this.#wanted.stdin;
    for await (const said of this.#socket.messages()) {
      const packet = this.#packetOf(said);
      const isInput = packet?.type === "stdin" || packet?.type === "end";
      if (!packet || (isInput && !reading)) continue;
      if (packet.type === "end") reading = false;
      await session.send(packet);
    }
  }

  /** Undefined for what is to be passed over: nothing at all, and channels that a client does not write to. */
  #packetOf(said: Buffer): Packet | undefined {
    const bytes = said.subarray(1);
    switch (said[0]) {
      case CHANNEL.stdin:
        return bytes.length > 0 ? { type: "stdin", bytes } : undefined;
      case CHANNEL.resize: {
        const size = this.#sizes.push(bytes);
        return size && { type: "resize", ...size };
      }
      case CHANNEL.close:
        return this.#socket.protocol === V5 ? this.#closing(bytes) : undefined;
      default:
        return undefined;
    }
  }

  /** The client names one channel that it closes; only its input means something to us. */
  #closing(channels: Buffer): Packet | undefined {
    const [channel] = channels;
    if (channels.length === 1 && channel === CHANNEL.stdin) return { type: "end" };
    if (channels.length === 1 && channel !== undefined && channel <= CHANNEL.resize) return undefined;
    this.#socket.close(CLOSE.protocol, "a close message names one channel from 0 to 4");
    throw new FairleadError("protocol-error", "The client closed a channel that there is not.");
  }
}
