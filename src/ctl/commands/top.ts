/** `ctl top`: what containers use, as it changes. */

import { Command } from "commander";
import { StatsList, type StatsView } from "../../protocol/stats.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Connection } from "../connection.ts";
import { exitOfSignal } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { isData, lister, type OutputFormat, outputOption } from "../output-format.ts";
import { busiestFirst, STATS } from "../stats-table.ts";
import { Table } from "../table.ts";
import { ofOneHost } from "../one-host.ts";
import { addressOf, placeOf, typedName } from "../place.ts";
import type { Entry } from "./entry.ts";

interface Options {
  node?: string;
  /** False after --no-stream. */
  stream: boolean;
  output?: "json" | "yaml" | "name";
}

const FORMATS: OutputFormat[] = ["json", "yaml", "name"];
/** Characters of a name that are shown where the table moves: the figures have to be seen too. */
const MAX_NAME = 30;

const EXAMPLES = `
Examples:
  ctl top                              all that run, the busiest first, until Ctrl-C
  ctl top web                          one of them
  ctl top --no-stream                  the figures of this moment
  ctl top -o json | jq -c '.[] | [.name, .cpu]'
  ctl top -o name | head -1            the busiest one's name

100 % is one processor. Memory is without cached files; network and block I/O count since the container started. Where
the output is no terminal, or one that only shows characters (TERM=dumb), the table is printed once.`;

export function topCommand(invocation: Invocation): Entry {
  const command = new Command("top")
    .description("Show what containers use: processor, memory, network, disk.")
    .argument("[container]", "its id, name or project/service")
    .option("--node <node>", "all of this node of the server's")
    .option("--no-stream", "print the figures once")
    .addOption(outputOption(FORMATS))
    .addHelpText("after", EXAMPLES);
  return {
    command,
    work: (container: string | undefined, options: Options) => top(invocation, { container, ...options }),
  };
}

async function top(
  invocation: Invocation,
  { container, node, stream, output }: Options & { container: string | undefined },
): Promise<number> {
  const connection = await invocation.connection();
  const path = container === undefined ? `${apiOf(node)}/stats` : `${addressOf(container)}/stats`;
  const place = container === undefined ? { node } : placeOf(container);
  const shown = { connection, path, node: place.node, stream, output };
  return ofOneHost({ connection, node: place.node }, () => show(invocation, shown));
}

interface Shown extends Pick<Options, "stream"> {
  connection: Connection;
  path: string;
  /** Of the server's, whose containers have its name before theirs. */
  node: string | undefined;
  output: Options["output"] | undefined;
}

async function show(invocation: Invocation, { connection, path, node, stream, output }: Shown): Promise<number> {
  const { stdout, terminal } = invocation;
  if (stream && output === undefined && stdout.isTerminal && !terminal.isDumb)
    return paint(invocation, statsOf(connection, path));
  if (stream && isData(output)) {
    const words = lister(STATS, output, "again");
    for await (const stats of statsOf(connection, path)) await stdout.write(await words(stats));
    return 0;
  }
  const { stats } = StatsList.parse(await connection.get(path));
  const listing = { ...STATS, name: ({ name }: StatsView) => typedName(node, name) };
  await stdout.write(await lister(listing, output)(busiestFirst(stats)));
  return 0;
}

async function* statsOf(connection: Connection, path: string): AsyncGenerator<StatsView[], void, void> {
  for await (const value of connection.lines(`${path}?watch=true`)) yield busiestFirst(StatsList.parse(value).stats);
}

/** Until a signal, or the end of the connection. */
async function paint(invocation: Invocation, figures: AsyncGenerator<StatsView[], void, void>): Promise<number> {
  const { screen } = invocation;
  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    invocation.onSignals(["SIGINT", "SIGTERM", "SIGHUP"], resolve);
  });
  const table = new Table(STATS.headings);
  const painting = async () => {
    for await (const stats of figures) {
      const text = table.render(stats.map((each) => STATS.row({ ...each, name: shortened(each.name) })));
      screen.paint(text.trimEnd().split("\n"));
    }
  };
  const signal = await Promise.race([stopped, painting()]);
  screen.leave();
  return signal ? exitOfSignal(signal) : 0;
}

function shortened(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
}
