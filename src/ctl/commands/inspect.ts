/** `ctl inspect`: everything that the agent knows of containers. */

import { Command } from "commander";
import { ContainerDetailView } from "../../protocol/container.ts";
import { forEach } from "../each.ts";
import type { Invocation } from "../invocation.ts";
import { dataText, type OutputFormat, outputOption } from "../output-format.ts";
import { ofOneHost } from "../one-host.ts";
import { addressOf, placeOf, typedName } from "../place.ts";
import type { Entry } from "./entry.ts";

interface Options {
  output: "json" | "yaml" | "name";
}

const FORMATS: OutputFormat[] = ["json", "yaml", "name"];

const EXAMPLES = `
Examples:
  ctl inspect web
  ctl inspect -o yaml web db
  ctl inspect web | jq -r '.mounts[].source'

Of several containers there is one JSON value or YAML document after the other. Environment variables are not shown.`;

export function inspectCommand(invocation: Invocation): Entry {
  const command = new Command("inspect")
    .description("Show everything about containers.")
    .argument("<container...>", "their ids, names or project/service")
    .addOption(outputOption(FORMATS).default("json"))
    .addHelpText("after", EXAMPLES);
  return { command, work: (containers: string[], options: Options) => inspect(invocation, containers, options) };
}

async function inspect(invocation: Invocation, containers: string[], { output }: Options): Promise<number> {
  const connection = await invocation.connection();
  return forEach(invocation, containers, async (container) => {
    const { node } = placeOf(container);
    const answer = await ofOneHost({ connection, node }, () => connection.get(addressOf(container)));
    const detail = ContainerDetailView.parse(answer);
    if (output === "name") return `${typedName(node, detail.name)}\n`;
    const text = await dataText(detail, output);
    return output === "yaml" && containers.length > 1 ? `---\n${text}` : text;
  });
}
