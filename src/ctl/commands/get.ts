/** `ctl get` and `ctl describe`: what a server knows, as kubectl words it. */

import { Command } from "commander";
import { NodeChanges, NodeList, NodeView } from "../../protocol/node.ts";
import { patched } from "../../lib/merge-patch.ts";
import { forEach } from "../each.ts";
import type { Invocation } from "../invocation.ts";
import { describe, type ListedNode, NODES, statusWords } from "../nodes-table.ts";
import { dataText, isData, lister, type OutputFormat, outputOption } from "../output-format.ts";
import type { Entry } from "./entry.ts";

interface GetOptions {
  output?: OutputFormat;
  watch?: boolean;
}

interface DescribeOptions {
  output?: "json" | "yaml";
}

const PATH = "/api/v1/nodes";

const GET_EXAMPLES = `
Examples:
  ctl get nodes                     NAME STATUS AGE
  ctl get nodes -o wide             and address, version, engine, CPU, memory, disk, GPU, containers, gateway
  ctl get nodes gpu-box-1 -o yaml
  ctl get nodes --watch             and then each host whose status changes or that is removed, until Ctrl-C
  ctl get nodes --watch -o json     and then each host that reports, is changed or is removed`;

const DESCRIBE_EXAMPLES = `
Examples:
  ctl describe node gpu-box-1`;

export function getCommand(invocation: Invocation): Entry {
  const command = new Command("get").description("List what a server knows.").addHelpText("after", GET_EXAMPLES);
  return { command, entries: [nodesListing(invocation, ["nodes", "node"])] };
}

/** The listing of the hosts, as `ctl get` has it and `ctl nodes` too. */
export function nodesListing(invocation: Invocation, [name, alias]: [string, string]): Entry {
  const command = new Command(name)
    .alias(alias)
    .description("List the hosts of the server.")
    .argument("[node...]", "these only")
    .addOption(outputOption())
    .option("-w, --watch", "go on with each change")
    .addHelpText("after", GET_EXAMPLES);
  return { command, work: (names: string[], options: GetOptions) => getNodes(invocation, names, options) };
}

export function describeCommand(invocation: Invocation): Entry {
  const node = new Command("node")
    .alias("nodes")
    .description("Show everything about a host.")
    .argument("<node>", "its name")
    .addOption(outputOption(["json", "yaml"]))
    .addHelpText("after", DESCRIBE_EXAMPLES);
  const command = new Command("describe")
    .description("Show everything about one thing.")
    .addHelpText("after", DESCRIBE_EXAMPLES);
  const work = (name: string, options: DescribeOptions) => describeNode(invocation, name, options);
  return { command, entries: [{ command: node, work }] };
}

async function getNodes(invocation: Invocation, names: string[], { output, watch }: GetOptions): Promise<number> {
  const connection = await invocation.connection();
  const words = lister(NODES, output, watch ? "again" : "once");
  const wanted = (nodes: ListedNode[]) =>
    names.length === 0 ? nodes : nodes.filter(({ name }) => names.includes(name));
  // One that was named and is not there is a mistake, in the server's words, and keeps nobody from the others.
  const exit = await forEach(invocation, names, async (name) => {
    await connection.get(nodePath(name));
    return "";
  });
  if (!watch) {
    await invocation.stdout.write(await words(wanted(NodeList.parse(await connection.get(PATH)).nodes)));
    return exit;
  }
  const nodes = new Map<string, NodeView>();
  for await (const line of connection.lines(`${PATH}?watch=1`)) {
    const told = changes(nodes, line).filter(({ before, now }) => isData(output) || statusOf(before) !== statusOf(now));
    await invocation.stdout.write(await words(wanted(told.map(({ now }) => now))));
  }
  return 0;
}

async function describeNode(invocation: Invocation, name: string, { output }: DescribeOptions): Promise<number> {
  const connection = await invocation.connection();
  const node = NodeView.parse(await connection.get(nodePath(name)));
  await invocation.stdout.write(output ? await dataText(node, output) : describe(node, Date.now()));
  return 0;
}

function nodePath(name: string): string {
  return `${PATH}/${encodeURIComponent(name)}`;
}

interface Change {
  before: NodeView | undefined;
  now: ListedNode;
}

/** What a line of a watch makes of the hosts that are known, which it changes: those that are new, different or removed, by name. */
function changes(nodes: Map<string, NodeView>, line: unknown): Change[] {
  const patches = Object.entries(NodeChanges.parse(line).nodes).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return patches.flatMap(([name, patch]): Change[] => {
    const before = nodes.get(name);
    nodes.delete(name);
    if (patch === null) return before ? [{ before, now: { ...before, status: "Removed" } }] : [];
    const now = NodeView.parse(patched(before, patch));
    nodes.set(name, now);
    return [{ before, now }];
  });
}

/** One that was added anew under its name is another one. */
function statusOf(node: ListedNode | undefined): string | undefined {
  return node && `${node.uid} ${statusWords(node)}`;
}
