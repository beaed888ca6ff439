/** `ctl events`: what happened to containers lately, and what happens. */

import { Command } from "commander";
import { ContainerEventList, type ContainerEventView } from "../../protocol/container-events.ts";
import type { Invocation } from "../invocation.ts";
import { dataText, isData, lister, type OutputFormat, outputOption } from "../output-format.ts";
import { EVENTS } from "../events-table.ts";
import { timeOf } from "../time-option.ts";
import type { Entry } from "./entry.ts";

interface Options {
  follow?: boolean;
  since?: string;
  until?: string;
  output?: OutputFormat;
}

const FORMATS: OutputFormat[] = ["json", "yaml", "wide"];
const PATH = "/api/v1/events";

const EXAMPLES = `
Examples:
  ctl events                         what the agent remembers: the last 1,000
  ctl events --since 10m
  ctl events -f                      and then each as it happens, until Ctrl-C
  ctl events -f --since 0s -o json | jq -r 'select(.action == "die") | .container.name'

Times are durations (10m, 1h30m), RFC 3339 or Unix seconds. With -f each event is a line of JSON. It goes on through an
engine that is away, with a line that says so: what happened meanwhile may be missing.`;

export function eventsCommand(invocation: Invocation): Entry {
  const command = new Command("events")
    .description("Print what happened to containers.")
    .option("-f, --follow", "go on with what happens")
    .option("--since <time>", "only what happened at or after it", timeOf)
    .option("--until <time>", "only what happened up to it; with -f, end then", timeOf)
    .addOption(outputOption(FORMATS))
    .addHelpText("after", EXAMPLES);
  return { command, work: (options: Options) => events(invocation, options) };
}

async function events(invocation: Invocation, { follow, since, until, output }: Options): Promise<number> {
  const { stdout } = invocation;
  const connection = await invocation.connection();
  const query = new URLSearchParams({ ...(since && { since }), ...(until && { until }) });
  if (!follow) {
    const list = ContainerEventList.parse(await connection.get(`${PATH}?${query.toString()}`));
    await stdout.write(await lister(EVENTS, output)(list.events));
    return 0;
  }
  query.set("watch", "true");
  const words = isData(output) ? eachAs(output) : lister(EVENTS, output, "again");
  for await (const value of connection.lines(`${PATH}?${query.toString()}`))
    await stdout.write(await words(ContainerEventList.parse(value).events));
  return 0;
}

/** A value for each event: whoever reads them wants no lists. */
function eachAs(output: "json" | "yaml"): (events: readonly ContainerEventView[]) => Promise<string> {
  return async (list) => (await Promise.all(list.map((event) => dataText(event, output, "again")))).join("");
}
