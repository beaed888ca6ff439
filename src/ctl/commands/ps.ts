/** `ctl ps`: the containers on the host. */

import { Command, Option } from "commander";
import { ContainerList, type ContainerView } from "../../protocol/container.ts";
import { HEADINGS, inOrder, row, WIDE_HEADINGS, wideRow } from "../containers-table.ts";
import type { Invocation } from "../invocation.ts";
import type { Output } from "../output.ts";
import { Table } from "../table.ts";
import type { Entry } from "./entry.ts";

interface Options {
  all?: boolean;
  output?: "json" | "wide" | "name";
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
    .addOption(new Option("-o, --output <format>", "another format").choices(["json", "wide", "name"]))
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

function printer({ output, watch }: Options, stdout: Output): Print {
  if (output === "json")
    return (containers) =>
      stdout.write(`${watch ? JSON.stringify(containers) : JSON.stringify(containers, undefined, 2)}\n`);
  if (output === "name")
    return changes((containers) => stdout.write(containers.map(({ name }) => `${name}\n`).join("")));
  const wide = output === "wide";
  const table = new Table(wide ? WIDE_HEADINGS : HEADINGS);
  let headed: "headed" | "bare" = "headed";
  return changes(async (containers) => {
    const now = Date.now();
    const rows = containers.map((container) => (wide ? wideRow : row)(container, now));
    if (rows.length > 0 || headed === "headed") await stdout.write(table.render(rows, headed));
    headed = "bare";
  });
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
