/** Sessions that are to go on over another connection, where their agent does not do its part or their user has gone meanwhile. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Link } from "../../src/client/link.ts";
import { RemoteSession } from "../../src/client/session.ts";
import { Budget } from "../../src/mux/budget.ts";
import type { Channel } from "../../src/mux/channel.ts";
import type { CloseInfo } from "../../src/mux/errors.ts";
import { HEADER_BYTES } from "../../src/mux/frame.ts";
import { Mux } from "../../src/mux/mux.ts";
import { FairleadError } from "../../src/protocol/errors.ts";
import { json } from "../../src/protocol/json.ts";
import { encodePacket } from "../../src/protocol/packet.ts";
import { type TransportPair, transportPair } from "../support/transport-pair.ts";
import { until } from "../support/until.ts";

const OPENED = { session: "1", secret: "0123456789abcdef", epoch: 1, received: 0, onDrop: "keep", grace: 60_000 };
/** As a packet it is six bytes. */
const HELLO = new TextEncoder().encode("hello");

/** An agent that takes everything, and says it back; of a resume it only keeps the channel. */
class Agent {
  readonly link: Link;
  readonly connections: TransportPair[] = [];
  readonly resumes: Channel[] = [];
  /** How the resumes' channels ended. */
  readonly ends: CloseInfo[] = [];

  constructor({ stillborn }: { stillborn?: number } = {}) {
    const dial = async () => {
      const pair = this.#connect();
      if (this.connections.length === stillborn) pair.cut();
      return pair.a;
    };
    this.link = new Link({ dial, software: "test", onState: () => {}, budget: new Budget(1_000_000) });
  }

  /** A session that has sent six bytes which its agent has consumed, and is being resumed. */
  async left(): Promise<RemoteSession> {
    const request = { header: { op: "exec", container: "web" }, body: {} } as const;
    const session = await RemoteSession.open(this.link, request);
    await session.send({ type: "stdin", bytes: HELLO });
    await session.packets().next();
    this.connections[0]?.cut();
    await until("the session being resumed", () => this.resumes.length === 1);
    return session;
  }

  answer(received: number): void {
    this.resumes[0]?.reply(json({ ...OPENED, epoch: 2, received }));
  }

  #connect(): TransportPair {
    const pair = transportPair();
    const accept = (channel: Channel) => (this.connections.length === 1 ? echo(channel) : this.#keep(channel));
    this.connections.push(pair);
    void new Mux(pair.b, { role: "listener", software: "test", budget: new Budget(1_000_000), accept });
    return pair;
  }

  #keep(channel: Channel): void {
    this.resumes.push(channel);
    channel.start({ message() {}, credit() {}, ack() {}, reply() {}, close: (end) => this.ends.push(end) });
  }
}

function echo(channel: Channel): void {
  const message = (bytes: Uint8Array) => {
    channel.ack(bytes.length);
    const { tag } = encodePacket({ type: "stdout", bytes });
    channel.post(Uint8Array.from([...new Uint8Array(HEADER_BYTES), tag, ...bytes.subarray(1)]));
  };
  channel.start({ message, credit() {}, ack() {}, reply() {}, close() {} });
  channel.reply(json(OPENED));
}

suite("a session that is being resumed", () => {
  for (const [where, received] of Object.entries({ "ahead of what was sent": 7, "before what is kept": 0 }))
    test(`ends with words when its agent would go on ${where}, and leaves the connection to others`, async () => {
      const agent = new Agent();
      const session = await agent.left();
      agent.answer(received);
      const error = await session.ended;
      assert.ok(error instanceof FairleadError);
      assert.equal(error.code, "protocol-error");
      assert.match(error.message, /^The session was ended: .* \(cannot continue from offset /);
      await until("the agent being told", () => agent.ends[0]);
      assert.deepEqual(agent.ends, [{ code: 1000, reason: "done" }]);
      await agent.link.close();
    });

  test("is closed at its agent too, whose answer does not bring it back", async () => {
    const agent = new Agent();
    const session = await agent.left();
    await session.close();
    agent.answer(6);
    await until("the agent being told", () => agent.ends[0]);
    assert.deepEqual(agent.ends, [{ code: 1000, reason: "done" }]);
    await agent.link.close();
  });

  test("is resumed on the next connection when one is lost at once", async () => {
    const agent = new Agent({ stillborn: 2 });
    await agent.left();
    assert.equal(agent.connections.length, 3);
    await agent.link.close();
  });
});
