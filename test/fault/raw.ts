/** Below the client library: channels, sequences and frames as a test wants them, correct or not. */

import { dialler } from "../../src/ctl/connection/dial.ts";
import { Secret } from "../../src/lib/secret.ts";
import { Budget } from "../../src/mux/budget.ts";
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
  /** Ends the connection under it without a word about the session. */
  cut(): void;
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
  const sequence = new Sequence({ budget });
  const cut = () => mux.close(1001, "cut");
  try {
    const opened = await new Promise<Opened>((resolve, reject) => {
      const channel = mux.open({ header: json(header), body: json(body) });
      sequence.attach(channel, 0, { onReply: (bytes) => answer(bytes, { resolve, reject }) });
      void mux.closed.then(({ code, reason }) => reject(new Error(`closed with ${code}: ${reason}`)));
    });
    return { opened, packets: packetsOf(sequence), cut };
  } catch (error) {
    cut();
    throw error;
  }
}

async function connectMux({ url, token }: Address): Promise<{ mux: Mux; budget: Budget }> {
  const budget = new Budget(BUDGET_BYTES);
  const server = { url: new URL(url), token: new Secret(token), urlFrom: "the test", tokenFrom: "the test" };
  const transport = await dialler(server)(new AbortController().signal);
  return { mux: new Mux(transport, { role: "dialler", software: "fairlead-test", budget }), budget };
}

function answer(bytes: Uint8Array, to: { resolve: (opened: Opened) => void; reject: (error: Error) => void }): void {
  const value: unknown = JSON.parse(Buffer.from(bytes).toString());
  const problem = Problem.safeParse(value);
  if (problem.success) to.reject(FairleadError.from(problem.data));
  else to.resolve(Opened.parse(value));
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
