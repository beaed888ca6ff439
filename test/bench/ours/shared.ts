/**
 * Our side of `echo-under-load`: what `ctl port-forward` and `ctl exec -i` do, in one connection instead of one each.
 * Arguments: container, local port, port of the container, command... Says "ready", then is the command's keyboard and screen.
 */

import { once } from "node:events";
import { Forwarding } from "../../../src/ctl/forwarding.ts";
import { listenOn } from "../../../src/ctl/listen.ts";
import { Messages } from "../../../src/ctl/messages.ts";
import { Output } from "../../../src/ctl/output.ts";
import { pump } from "../../../src/lib/pump.ts";
import { connectClient } from "./client.ts";

const [container = "", local = "", port = "", ...command] = process.argv.slice(2);
const remote = Number(port);
const client = connectClient(process.env);
const messages = new Messages({ output: new Output(() => process.stderr), started: Date.now() });

const forwarding = new Forwarding({ client, place: { container }, ports: [remote], messages });
await forwarding.open();
await listenOn(["127.0.0.1"], { local: Number(local), remote }, (socket) => void forwarding.carry(socket, remote));

const session = await client.exec(container, { command, tty: false, stdin: true });
process.stdout.write("ready\n");
void pump(process.stdin, (bytes) => session.send({ type: "stdin", bytes })).then(() => session.send({ type: "end" }));
for await (const packet of session.packets())
  if (packet.type === "stdout" && !process.stdout.write(packet.bytes)) await once(process.stdout, "drain");
process.exit(0);
