/**
 * Our side of `echo-under-load`: one connection that carries a forward and an exec, which `ctl` opens one process each for.
 * Arguments: container, local port, port of the container, command... Says "ready", then is the command's keyboard and screen.
 */

import { createServer } from "node:net";
import type { RemoteSession } from "../../../src/client/session.ts";
import { connectClient } from "./client.ts";

const [container = "", local = "", remote = "", ...command] = process.argv.slice(2);
const client = connectClient(process.env);
const forward = await client.forward(container, { ports: [Number(remote)] });
const server = createServer({ noDelay: true, highWaterMark: 65_536 }, (socket) => {
  void forward
    .dial(Number(remote))
    .then((session) => Promise.all([upload(socket, session), download(session, socket)]));
});
server.listen(Number(local), "127.0.0.1");

const session = await client.exec(container, { command, tty: false, stdin: true });
process.stdout.write("ready\n");
await Promise.race([upload(process.stdin, session), download(session, process.stdout)]);
process.exit(0);

async function upload(from: NodeJS.ReadableStream, to: RemoteSession): Promise<void> {
  try {
    for await (const bytes of from) await to.send({ type: "stdin", bytes: bytes as unknown as Uint8Array });
    await to.send({ type: "end" });
  } catch {
    await to.send({ type: "reset" }).catch(() => {});
  }
}

async function download(from: RemoteSession, to: NodeJS.WritableStream): Promise<void> {
  for await (const packet of from.packets()) {
    if (packet.type === "end" || packet.type === "reset") to.end();
    if (packet.type !== "stdout" || to.write(packet.bytes)) continue;
    await new Promise((resolve) => to.once("drain", resolve).once("close", resolve));
  }
}
