/** `ctl port-forward`: ports of a container on this machine. */

import { Command } from "commander";
import { exitOfSignal } from "../failure.ts";
import { Forwarding } from "../forwarding.ts";
import type { Invocation } from "../invocation.ts";
import { LinkStatus } from "../link-status.ts";
import { type Listener, listenOn, type OnSocket } from "../listen.ts";
import { placeOf } from "../place.ts";
import { parseAddresses, parsePorts, type PortPair } from "../ports.ts";
import type { Entry } from "./entry.ts";

interface Options {
  address?: string[];
}

const EXAMPLES = `
Examples:
  ctl port-forward web 8080:80              http://localhost:8080 is port 80 of the container
  ctl port-forward web 8080:80 5432 :9000   several at once; 5432 on both sides, any free port for 9000
  ctl port-forward db 5432 --address 0.0.0.0
                                            for other machines too: anybody who reaches this one gets in

The ports need not be published, and services that listen on the container's own loopback are reached too. Goes on
until Ctrl-C, through lost connections and restarts of the container.`;

export function portForwardCommand(invocation: Invocation): Entry {
  const command = new Command("port-forward")
    .description("Open ports of a container on this machine.")
    .argument("<container>", "its id, name or project/service")
    .argument("<ports...>", "[LOCAL:]PORT, or :PORT for any free local port")
    .option(
      "--address <address>",
      "where to listen, instead of localhost: an IP address; may be repeated",
      (text, all: string[] | undefined) => [...(all ?? []), text],
    )
    .addHelpText("after", EXAMPLES);
  return {
    command,
    work: (container: string, ports: string[], options: Options) =>
      portForward(invocation, container, { ...options, ports }),
  };
}

async function portForward(
  invocation: Invocation,
  container: string,
  options: Options & { ports: string[] },
): Promise<number> {
  const pairs = parsePorts(options.ports);
  const groups = parseAddresses(options.address ?? []);
  const status = new LinkStatus(invocation.messages);
  const client = (await invocation.connection()).client({ onState: status.onState, bulk: true });
  const forwarding = new Forwarding({
    client,
    place: placeOf(container),
    ports: pairs.map(({ remote }) => remote),
    messages: invocation.messages,
  });
  const [listeners, forward] = await Promise.all([
    listenOnAll(groups, pairs, (socket, port) => void forwarding.carry(socket, port)),
    forwarding.open(),
  ]);
  // Only now: a signal before anything is open does what it always does.
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    invocation.onSignals(["SIGINT", "SIGTERM", "SIGHUP"], resolve);
  });
  const name = forward.container?.name ?? container;
  await invocation.stdout.write(
    listeners.map(({ address, remote }) => `Forwarding ${address} -> ${name}:${remote}\n`).join(""),
  );
  const signal = await stopped;
  status.close();
  await client.close();
  return exitOfSignal(signal);
}

async function listenOnAll(groups: string[][], pairs: PortPair[], onSocket: OnSocket): Promise<Listener[]> {
  const all: Listener[] = [];
  for (const pair of pairs) for (const group of groups) all.push(...(await listenOn(group, pair, onSocket)));
  return all;
}
