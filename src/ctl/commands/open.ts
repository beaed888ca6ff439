/** `ctl open`: a container's pages in the browser. */

import { Command, InvalidArgumentError } from "commander";
import { Invited } from "../../protocol/app.ts";
import { ContainerDetailView } from "../../protocol/container.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { openBrowser } from "../browser.ts";
import type { Connection } from "../connection.ts";
import { exitOfSignal, UsageError } from "../failure.ts";
import { Forwarding } from "../forwarding.ts";
import type { Invocation } from "../invocation.ts";
import { LinkStatus } from "../link-status.ts";
import { listenOn } from "../listen.ts";
import { ofOneHost } from "../one-host.ts";
import { addressOf, placeOf } from "../place.ts";
import type { Entry } from "./entry.ts";

interface Options {
  /** False after --no-browser. */
  browser: boolean;
}

const MAX_PORT = 65_535;

const EXAMPLES = `
Examples:
  ctl open web 80                 the page that the container serves at port 80
  ctl open web                    where the container has one port only
  ctl open web 80 --no-browser    prints the address; it works once and for thirty seconds

The page gets an address of its own at the agent or the server, away from their own pages, and the browser that opens it a
cookie. Where one elsewhere has no address for such pages, a local port is forwarded instead, until Ctrl-C.`;

export function openCommand(invocation: Invocation): Entry {
  const command = new Command("open")
    .description("Open a container's page in the browser.")
    .argument("<container>", "its id, name or project/service")
    .argument("[port]", "where the container serves it", parsePort)
    .option("--no-browser", "print the address and open nothing")
    .addHelpText("after", EXAMPLES);
  return {
    command,
    work: (container: string, port: number | undefined, options: Options) =>
      open(invocation, { container, port }, options),
  };
}

async function open(
  invocation: Invocation,
  wanted: { container: string; port: number | undefined },
  { browser }: Options,
): Promise<number> {
  const connection = await invocation.connection();
  const { container } = wanted;
  const { node } = placeOf(container);
  const port = wanted.port ?? (await ofOneHost({ connection, node }, () => onlyPort(connection, container)));
  const how = browser ? "open" : "print";
  const path = `${addressOf(container)}/open`;
  try {
    const asked = { method: "POST", path, body: { port } } as const;
    const { url } = Invited.parse(await ofOneHost({ connection, node }, () => connection.send(asked)));
    await show(invocation, url, how);
    return 0;
  } catch (error) {
    if (!(error instanceof FairleadError && error.code === "unsupported")) throw error;
  }
  return await forward(invocation, { connection, container, port, how });
}

async function show(invocation: Invocation, address: string, how: "open" | "print"): Promise<void> {
  await invocation.stdout.write(`${address}\n`);
  if (how === "print" || (await openBrowser(address, invocation.world.env))) return;
  invocation.messages.say("No browser could be started here; open the address yourself. BROWSER can name one.");
}

interface Detour {
  connection: Connection;
  container: string;
  port: number;
  how: "open" | "print";
}

/** The same page by another way: through a port of this machine, for as long as the command runs. */
async function forward(invocation: Invocation, { connection, container, port, how }: Detour): Promise<number> {
  const { messages } = invocation;
  const status = new LinkStatus(messages);
  const client = connection.client({ onState: status.onState, bulk: true });
  const forwarding = new Forwarding({ client, place: placeOf(container), ports: [port], messages });
  const carry = (socket: Parameters<Forwarding["carry"]>[0]) => void forwarding.carry(socket, port);
  const [[listener]] = await Promise.all([
    listenOn(["127.0.0.1"], { local: 0, remote: port }, carry),
    forwarding.open(),
  ]);
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    invocation.onSignals(["SIGINT", "SIGTERM", "SIGHUP"], resolve);
  });
  messages.say("A local port leads to the container's page, until Ctrl-C.");
  await show(invocation, `http://${listener?.address}/`, how);
  const signal = await stopped;
  status.close();
  await client.close();
  return exitOfSignal(signal);
}

/** Throws {@link UsageError} where there is none, or a choice. */
async function onlyPort(connection: Connection, container: string): Promise<number> {
  const { name, ports } = ContainerDetailView.parse(await connection.get(addressOf(container)));
  const all = [...new Set(ports.filter(({ protocol }) => protocol === "tcp").map(({ container: port }) => port))];
  const [only] = all;
  if (only !== undefined && all.length === 1) return only;
  const known = all.length === 0 ? "tells none of its ports" : `has the ports ${all.join(", ")}`;
  throw new UsageError(`Name the port too: ${name} ${known}.`);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= MAX_PORT) return port;
  throw new InvalidArgumentError(`Ports are whole numbers from 1 to ${MAX_PORT}.`);
}
