/** `ctl events`: what happened lately, and what happens: to containers, and on a server to the hosts of the fleet. */

import { Command } from "commander";
import * as z from "zod/mini";
import { ContainerEventList } from "../../protocol/container-events.ts";
import { FleetEvents } from "../../protocol/events.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Invocation } from "../invocation.ts";
import { dataText, isData, lister, type OutputFormat, outputOption } from "../output-format.ts";
import { EVENTS, FLEET_EVENTS } from "../events-table.ts";
import { timeOf } from "../time-option.ts";
import type { Entry } from "./entry.ts";

interface Options {
  node?: string;
  follow?: boolean;
  since?: string;
  until?: string;
  output?: OutputFormat;
}

const EventList = z.union([ContainerEventList, FleetEvents]);

const EXAMPLES = `
Examples:
  ctl events                         what the agent remembers: the last 1,000
  ctl events --since 10m
  ctl events -f                      and then each as it happens, until Ctrl-C
  ctl events --node gpu-box-1        of the containers of one host, through the server
  ctl events -f --since 0s -o json | jq -r 'select(.action == "die") | .container.name'

An agent tells of its containers, a server of its hosts. Times are durations (10m, 1h30m), RFC 3339 or Unix seconds.
With -f and -o json each event is a line. -f goes on through an engine that is away, with a line that says so: what
happened meanwhile may be missing.`;

export function eventsCommand(invocation: Invocation): Entry {
  const command = new Command("events")
    .description("Print what happened to containers, or to the hosts of a server.")
    .option("--node <node>", "to the containers of this node of the server's")
    .option("-f, --follow", "go on with what happens")
    .option("--since <time>", "only what happened at or after it", timeOf)
    .option("--until <time>", "only what happened up to it; with -f, end then", timeOf)
    .addOption(outputOption())
    .addHelpText("after", EXAMPLES);
  return { command, work: (options: Options) => events(invocation, options) };
}

async function events(invocation: Invocation, options: Options): Promise<number> {
  const { node, follow, since, until, output } = options;
  const { stdout } = invocation;
  const connection = await invocation.connection();
  const query = new URLSearchParams({ ...(since && { since }), ...(until && { until }) });
  if (follow) query.set("watch", "true");
  const path = `${apiOf(node)}/events?${query.toString()}`;
  const words = writer(output, follow ? "again" : "once");
  if (!follow) await stdout.write(await words(await connection.get(path)));
  else for await (const value of connection.lines(path)) await stdout.write(await words(value));
  return 0;
}

/** Puts an answer into words, whether it is an agent's or a server's: only an agent says which host it is. */
function writer(output: OutputFormat | undefined, occurrence: "once" | "again"): (answer: unknown) => Promise<string> {
  if (isData(output) && occurrence === "again") return eachAs(output);
  const [containers, fleet] = [lister(EVENTS, output, occurrence), lister(FLEET_EVENTS, output, occurrence)];
  return (answer) => {
    const list = EventList.parse(answer);
    return "node" in list ? containers(list.events) : fleet(list.events);
  };
}

/** A value for each event: whoever reads them wants no lists. */
function eachAs(output: "json" | "yaml"): (answer: unknown) => Promise<string> {
  return async (answer) => {
    const { events } = EventList.parse(answer);
    return (await Promise.all(events.map((event) => dataText(event, output, "again")))).join("");
  };
}
