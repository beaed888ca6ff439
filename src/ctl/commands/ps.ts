/** `ctl ps`: the containers on the host. */

import { Command, InvalidArgumentError } from "commander";
import { ContainerList, type ContainerView } from "../../protocol/container.ts";
import { NodeList } from "../../protocol/node.ts";
import { matches, parseScope, type Scope } from "../../protocol/rights.ts";
import { apiOf } from "../../protocol/version.ts";
import { CONTAINERS, inOrder, type Placed, PLACED_CONTAINERS } from "../containers-table.ts";
import { UsageError, verdictOf } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import type { Output } from "../output.ts";
import { isData, lister, type OutputFormat, outputOption } from "../output-format.ts";
import { ofOneHost } from "../one-host.ts";
import { typedName } from "../place.ts";
import type { Entry } from "./entry.ts";

interface Options {
  all?: boolean;
  allNodes?: boolean;
  node?: string;
  output?: OutputFormat;
  selector?: Scope;
  watch?: boolean;
}

/** Nodes that are asked at a time. */
const AT_ONCE = 16;

const EXAMPLES = `
Examples:
  ctl ps                                  running containers
  ctl ps -a -o wide                       all of them, with more columns
  ctl ps -o name | xargs -n1 ctl logs --tail 5
  ctl ps -o json | jq -r '.[].image'
  ctl ps -l com.docker.compose.project=shop,tier=
                                          those with these labels; tier may have any value
  ctl ps --watch                          and then each container that changes, until Ctrl-C
  ctl ps --node box                       of one node, through the server
  ctl ps --all-nodes -o name              all there are, as NODE:container`;

export function psCommand(invocation: Invocation): Entry {
  const command = new Command("ps")
    .description("List containers.")
    .option("-a, --all", "those that do not run too")
    .addOption(outputOption())
    .option("-l, --selector <labels>", "those with these labels: NAME=VALUE,NAME=VALUE", selectorOf)
    .option("--watch", "go on with each change")
    .option("--node <node>", "those of this node of the server's")
    .option("--all-nodes", "those of all nodes of the server's")
    .addHelpText("after", EXAMPLES);
  return { command, work: (options: Options) => ps(invocation, options) };
}

async function ps(invocation: Invocation, options: Options): Promise<number> {
  if (options.allNodes) return psOfAll(invocation, options);
  const connection = await invocation.connection();
  const { node, watch } = options;
  const path = `${apiOf(node)}/containers`;
  const print = printer(options, invocation.stdout);
  await ofOneHost({ connection, node }, async () => {
    if (!watch) return await print(wanted(await connection.get(path), options));
    for await (const list of connection.lines(`${path}?watch=1`)) await print(wanted(list, options));
  });
  return 0;
}

/** Of each node whose agent is there; the others are told, and are a failure. One whose agent is still to come has none. */
async function psOfAll(invocation: Invocation, { watch, node, output, ...options }: Options): Promise<number> {
  if (watch || node !== undefined) throw new UsageError("--all-nodes goes with neither --watch nor --node.");
  const connection = await invocation.connection();
  const { nodes } = NodeList.parse(await connection.get("/api/v1/nodes"));
  const { stdout, messages } = invocation;
  let exit = 0;
  const listOf = async ({ name }: { name: string }): Promise<Placed[]> => {
    try {
      const list = wanted(await connection.get(`${apiOf(name)}/containers`), options);
      return list.map((container) => ({ ...container, node: name }));
    } catch (error) {
      const verdict = verdictOf(error);
      messages.say(`${name}: ${verdict.words}`);
      exit ||= verdict.exit;
      return [];
    }
  };
  const there = nodes.filter(({ status }) => status !== "Pending");
  const all: Placed[] = [];
  for (let i = 0; i < there.length; i += AT_ONCE)
    all.push(...(await Promise.all(there.slice(i, i + AT_ONCE).map(listOf))).flat());
  await stdout.write(await lister(PLACED_CONTAINERS, output)(all));
  return exit;
}

function wanted(answer: unknown, { all, selector = {} }: Options): ContainerView[] {
  const { containers } = ContainerList.parse(answer);
  return inOrder(containers)
    .filter(({ labels }) => matches(selector, labels))
    .filter(({ state }) => all || state === "running" || state === "paused" || state === "restarting");
}

function selectorOf(text: string): Scope {
  const selector = parseScope(text);
  if (selector) return selector;
  throw new InvalidArgumentError("Labels are written NAME=VALUE, with a comma between several; NAME= is any value.");
}

type Print = (containers: ContainerView[]) => Promise<void>;

/** Of a watch, programs get the whole list each time and people only what has changed. */
function printer({ output, watch, node }: Options, stdout: Output): Print {
  const name = ({ name: own }: ContainerView) => typedName(node, own);
  const words = lister({ ...CONTAINERS, name }, output, watch ? "again" : "once");
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
