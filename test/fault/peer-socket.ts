/** A WebSocket at the session door that says exactly what a test wants, frame by frame, and keeps what it hears. */

import { once } from "node:events";
import { WebSocket } from "ws";
import { decodeFrame, encodeFrame, type Frame, MIN_VERSION, VERSION } from "../../src/mux/frame.ts";
import { SESSIONS_PATH, SUBPROTOCOL } from "../../src/protocol/version.ts";
import type { TestAgent } from "../support/agent.ts";
import { until } from "../support/until.ts";

type Sayable = Parameters<typeof encodeFrame>[0];

export const HELLO: Sayable = {
  type: "hello",
  hello: { version: VERSION, min: MIN_VERSION, channels: 256, software: "fairlead-test" },
};

export class PeerSocket {
  readonly socket: WebSocket;
  readonly heard: Frame[] = [];
  /** Resolves with what the agent closed it with. */
  readonly closed: Promise<{ code: number; reason: string }>;

  /** Resolves when the agent let it in; HELLO is the test's own business. */
  static async connect({ url, token }: Pick<TestAgent, "url" | "token">): Promise<PeerSocket> {
    const address = url.replace(/^http/, "ws") + SESSIONS_PATH;
    const socket = new WebSocket(address, [SUBPROTOCOL], { headers: { authorization: `Bearer ${token}` } });
    const peer = new PeerSocket(socket);
    await once(socket, "open");
    return peer;
  }

  /** The same, after HELLO. */
  static async greet(agent: Pick<TestAgent, "url" | "token">): Promise<PeerSocket> {
    const peer = await PeerSocket.connect(agent);
    peer.say(HELLO);
    return peer;
  }

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on("message", (bytes: Buffer) => this.heard.push(decodeFrame(bytes)));
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  say(...frames: Sayable[]): void {
    for (const frame of frames) this.socket.send(encodeFrame(frame));
  }

  /** Any bytes as one message. */
  sayBytes(bytes: Uint8Array): void {
    this.socket.send(bytes);
  }

  /** Asks for a session; what its body is made of is the test's own business. */
  open(channel: number, header: unknown, body: unknown): void {
    this.say({ type: "open", channel, header: toBytes(header), body: toBytes(body) });
  }

  /** Resolves with the first frame that fits, of all that were ever heard. */
  hears<T extends Frame["type"]>(type: T, channel?: number): Promise<Extract<Frame, { type: T }>> {
    const fits = (frame: Frame): frame is Extract<Frame, { type: T }> =>
      frame.type === type && (channel === undefined || ("channel" in frame && frame.channel === channel));
    return until(`hearing ${type} on ${channel ?? "any channel"}`, () => this.heard.find(fits));
  }

  /** The agent's answer to an OPEN: what {@link Opened} or a problem describes. */
  async answer(channel: number): Promise<Record<string, unknown>> {
    const { message } = await this.hears("reply", channel);
    return JSON.parse(Buffer.from(message).toString()) as Record<string, unknown>;
  }

  /** Ends what these channels carry by a word, then the connection. */
  async leave(...channels: number[]): Promise<void> {
    for (const channel of channels) this.say({ type: "close", channel, code: 1000, reason: "done" });
    this.socket.close(1000);
    await this.closed;
  }

  close(): void {
    this.socket.terminate();
  }
}

/** Bytes and text as they are, anything else as JSON. */
function toBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
}
