/**
 * Clients of firehoses, a connection each, that read until their windows are open and then stop reading.
 * Arguments: how many, container with the firehoses, container with a long log. Says "stalled".
 */

import type { Client } from "../../../src/client/client.ts";
import type { RemoteSession } from "../../../src/client/session.ts";
import { FIREHOSE_PORT } from "../container/ports.ts";
import { connectClient } from "./client.ts";

/** Bytes that each client reads before it stops. */
const APPETITE = 1_048_576;
/** Ended without a goodbye: of a socket with unread bytes a goodbye may be lost, and the next sample would pay for what is kept. */
const END = { onDrop: "kill" } as const;

type Firehose = (client: Client) => Promise<RemoteSession>;

const [count = "0", container = "", log = ""] = process.argv.slice(2);

const output: Firehose = (client) => client.exec(container, { command: ["yes"], tty: false, stdin: false });

const connection: Firehose = async (client) => {
  const forward = await client.forward(container, { ports: [FIREHOSE_PORT] }, END);
  return forward.dial(FIREHOSE_PORT);
};

const lines: Firehose = (client) =>
  client.logs(log, { follow: true, stdout: true, stderr: true, timestamps: false }, END);

/** Reads its fill and then asks for nothing more; the session stays open. */
async function read(client: Client, firehose: Firehose): Promise<void> {
  const session = await firehose(client);
  const packets = session.packets();
  for (let taken = 0; taken < APPETITE; ) {
    const { value, done } = await packets.next();
    if (done) throw new Error("a firehose ran dry");
    if (value.type === "stdout") taken += value.bytes.length;
  }
}

const clients = Array.from({ length: Number(count) }, () => connectClient(process.env));
const kinds = [output, connection, lines];
await Promise.all(clients.map((client, i) => read(client, kinds[i % kinds.length] ?? output)));
process.stdout.write("stalled\n");
