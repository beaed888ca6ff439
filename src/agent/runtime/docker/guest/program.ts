/** Runs in a helper container in another container's network: makes connections there and carries them to the agent. A program of its own. */

import { Socket } from "node:net";
import process from "node:process";
import { Budget } from "../../../../mux/budget.ts";
import type { Channel } from "../../../../mux/channel.ts";
import { Mux } from "../../../../mux/mux.ts";
import { connectInside, codeOf } from "../inside-connect.ts";
import { ByteTransport } from "./byte-transport.ts";
import { join } from "./join.ts";
import { CODE, encode, MAX_CONNECTIONS, requestIn } from "./message.ts";
import { GuestStream } from "./stream.ts";

/** Bytes by which all windows together may grow. */
const BUDGET = 33_554_432;

async function answer(channel: Channel): Promise<void> {
  let socket: Socket;
  try {
    const { port, timeout } = requestIn(channel.request.header);
    socket = await connectInside(port, { timeout });
  } catch (error) {
    return channel.close(CODE.failed, codeOf(error));
  }
  if (!channel.open) return void socket.destroy();
  channel.reply(encode({ address: socket.remoteAddress ?? "" }));
  join(new GuestStream(channel), socket);
}

function write(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => output.write(bytes, (error) => (error ? reject(error) : resolve())));
}

// The streams that `process` has would block this program whenever the agent is slower.
const [input, output] = [new Socket({ fd: 0, writable: false }), new Socket({ fd: 1, readable: false })];
const transport = new ByteTransport({ write, close: () => {} });
const mux = new Mux(transport, {
  role: "listener",
  software: "fairlead",
  budget: new Budget(BUDGET),
  channels: MAX_CONNECTIONS,
  accept: (channel) => void answer(channel),
});
// Its input ends with the agent, however that ends.
input.on("end", () => process.exit()).on("error", () => process.exit());
input.on("data", (bytes: Buffer) => transport.receive(bytes));
void mux.closed.then(({ reason }) => {
  console.error(reason);
  process.exit(1);
});
