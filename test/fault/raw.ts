/** Below the client library: channels, sequences and frames as a test wants them, correct or not. */

import { dialler } from "../../src/ctl/connection/dial.ts";
import { Secret } from "../../src/lib/secret.ts";
import { Budget } from "../../src/mux/budget.ts";
import type { CloseInfo } from "../../src/mux/errors.ts";
import { Mux } from "../../src/mux/mux.ts";
import { Sequence } from "../../src/mux/sequence.ts";
import { FairleadError, Problem } from "../../src/protocol/errors.ts";
import { Opened, type OpenHeader } from "../../src/protocol/open.ts";
import { decodePacket, type Packet } from "../../src/protocol/packet.ts";
import type { TestAgent } from "../support/agent.ts";

type Address = Pick<TestAgent, "url" | "token">;

const BUDGET_BYTES = 64 * 1024 * 1024;

export interface Conversation {
  opened: Opened;
  packets: AsyncGenerator<Packet, void, void>;
  /** Resolves when the channel under it is over, with who said so. */
  closed: Promise<CloseInfo>;
  /** Ends the connection under it without a word about the session. */
  cut(): void;
  /** Ends the session. */
  close(): void;
}

export interface Resume {
  session: string;
  secret: string;
  epoch: number;
  received: number;
}

/** Goes on with a session over a connection of its own; rejects with the agent's refusal. */
export async function resume(agent: Address, { session, ...body }: Resume): Promise<Conversation> {
  return open(agent, { op: "resume", session }, body);
}

/** Opens a channel with any header and body; rejects with the agent's refusal. */
export async function open(agent: Address, header: OpenHeader, body: unknown): Promise<Conversation> {
  const { mux, budget } = await connectMux(agent);
  const cut = () => mux.close(1001, "cut");
  const closed = once<CloseInfo>();
  const opened = once<Opened | Error>();
  const sequence = new Sequence({ budget, detached: closed.resolve });
  const channel = mux.open({ header: json(header), body: json(body) });
  sequence.attach(channel, 0, { onReply: (bytes) => opened.resolve(answer(bytes)) });
  void closed.promise.then(({ code, reason }) => opened.resolve(new Error(`closed with ${code}: ${reason}`)));
  const answered = await opened.promise;
  if (answered instanceof Error) {
    cut();
    throw answered;
  }
  const close = () => {
    channel.close(1000, "done");
    cut();
  };
  return { opened: answered, packets: packetsOf(sequence), closed: closed.promise, cut, close };
}

async function connectMux({ url, token }: Address): Promise<{ mux: Mux; budget: Budget }> {
  const budget = new Budget(BUDGET_BYTES);
  const server = { url: new URL(url), token: new Secret(token), urlFrom: "the test", tokenFrom: "the test" };
  const transport = await dialler(server)(new AbortController().signal);
  return { mux: new Mux(transport, { role: "dialler", software: "fairlead-test", budget }), budget };
}

function answer(bytes: Uint8Array): Opened | Error {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString());
  const problem = Problem.safeParse(value);
  return problem.success ? FairleadError.from(problem.data) : Opened.parse(value);
}

function once<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

async function* packetsOf(sequence: Sequence): AsyncGenerator<Packet, void, void> {
  for await (const { tag, payload } of sequence.receive()) {
    const packet = decodePacket(tag, payload);
    if (packet) yield packet;
  }
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
