/** `ctl get` and `ctl describe`: what a server knows, as kubectl words it. */

import { Command } from "commander";
import { NodeList, NodeView } from "../../protocol/node.ts";
import type { Invocation } from "../invocation.ts";
import { describe, NODES, statusWords } from "../nodes-table.ts";
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
  ctl get nodes --watch             and then each host whose status changes, until Ctrl-C`;

const DESCRIBE_EXAMPLES = `
Examples:
  ctl describe node gpu-box-1`;

export function getCommand(invocation: Invocation): Entry {
  const nodes = new Command("nodes")
    .alias("node")
    .description("List the hosts of the server.")
    .argument("[node...]", "these only")
    .addOption(outputOption())
    .option("-w, --watch", "go on with each change")
    .addHelpText("after", GET_EXAMPLES);
  const command = new Command("get").description("List what a server knows.").addHelpText("after", GET_EXAMPLES);
  const work = (names: string[], options: GetOptions) => getNodes(invocation, names, options);
  return { command, entries: [{ command: nodes, work }] };
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
  const wanted = (answer: unknown) => {
    const { nodes } = NodeList.parse(answer);
    return names.length === 0 ? nodes : nodes.filter(({ name }) => names.includes(name));
  };
  if (!watch) {
    // One that was named and is not there is a mistake, in the server's words.
    if (names.length > 0) await Promise.all(names.map((name) => connection.get(nodePath(name))));
    await invocation.stdout.write(await words(wanted(await connection.get(PATH))));
    return 0;
  }
  const changed = isData(output) ? (nodes: NodeView[]) => nodes : changes();
  for await (const list of connection.lines(`${PATH}?watch=1`))
    await invocation.stdout.write(await words(changed(wanted(list))));
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

/** Those that are new, or whose status is another than the last time. */
function changes(): (nodes: NodeView[]) => NodeView[] {
  let before = new Map<string, string>();
  return (nodes) => {
    const changed = nodes.filter((node) => before.get(node.uid) !== statusWords(node));
    before = new Map(nodes.map((node) => [node.uid, statusWords(node)]));
    return changed;
  };
}
