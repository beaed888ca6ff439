/** `ctl ps`: the containers on the host. */

import { Command } from "commander";
import { ContainerList, type ContainerView } from "../../protocol/container.ts";
import { CONTAINERS, inOrder } from "../containers-table.ts";
import type { Invocation } from "../invocation.ts";
import type { Output } from "../output.ts";
import { isData, lister, type OutputFormat, outputOption } from "../output-format.ts";
import type { Entry } from "./entry.ts";

interface Options {
  all?: boolean;
  output?: OutputFormat;
  watch?: boolean;
}

const PATH = "/api/v1/containers";

const EXAMPLES = `
Examples:
  ctl ps                                  running containers
  ctl ps -a -o wide                       all of them, with more columns
  ctl ps -o name | xargs -n1 ctl logs --tail 5
  ctl ps -o json | jq -r '.[].image'
  ctl ps --watch                          and then each container that changes, until Ctrl-C`;

export function psCommand(invocation: Invocation): Entry {
  const command = new Command("ps")
    .description("List containers.")
    .option("-a, --all", "those that do not run too")
    .addOption(outputOption())
    .option("--watch", "go on with each change")
    .addHelpText("after", EXAMPLES);
  return { command, work: (options: Options) => ps(invocation, options) };
}

async function ps(invocation: Invocation, options: Options): Promise<number> {
  const connection = await invocation.connection();
  const print = printer(options, invocation.stdout);
  if (!options.watch) {
    await print(wanted(await connection.get(PATH), options));
    return 0;
  }
  for await (const list of connection.lines(`${PATH}?watch=1`)) await print(wanted(list, options));
  return 0;
}

function wanted(answer: unknown, { all }: Options): ContainerView[] {
  const { containers } = ContainerList.parse(answer);
  return inOrder(containers).filter(
    ({ state }) => all || state === "running" || state === "paused" || state === "restarting",
  );
}

type Print = (containers: ContainerView[]) => Promise<void>;

/** Of a watch, programs get the whole list each time and people only what has changed. */
function printer({ output, watch }: Options, stdout: Output): Print {
  const words = lister(CONTAINERS, output, watch ? "again" : "once");
  const print: Print = async (containers) => stdout.write(await words(containers));
  return isData(output) ? print : changes(print);
}

/** Passes on what is new or different since the last time, and what is gone as `removed`. */
function changes(print: Print): Print {
  let before = new Map<string, ContainerView>();
  return async (containers) => {
    const now = new Map(containers.map((container) => [container.id, container]));
    const changed = containers.filter((container) => fingerprint(container) !== fingerprint(before.get(container.id)));
    const gone = [...before.values()].filter(({ id }) => !now.has(id));
    before = now;
    await print([...changed, ...gone.map((container) => ({ ...container, state: "removed", status: "", ports: [] }))]);
  };
}

/** Without the words that change with time alone. */
function fingerprint(container: ContainerView | undefined): string {
  return JSON.stringify(container && { ...container, status: "" });
}
