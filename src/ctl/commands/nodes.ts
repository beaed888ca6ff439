/** `ctl nodes`: what an administrator does with the hosts of a fleet. */

import { Command } from "commander";
import * as z from "zod/mini";
import { parseDuration } from "../../lib/duration.ts";
import { joinCommand } from "../../protocol/fleet.ts";
import { NodeSettingsChange } from "../../protocol/node.ts";
import type { Call } from "../connection/http.ts";
import { keep } from "../connection/kept.ts";
import { isLoopback } from "../connection/locate.ts";
import { credentialsFile } from "../connection/places.ts";
import { forEach } from "../each.ts";
import { UsageError } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import type { Entry } from "./entry.ts";
import { nodesListing } from "./get.ts";

const Added = z.object({ name: z.string(), token: z.string(), expires: z.number() });
const PATH = "/api/v1/nodes";

/** What can be set: its name here, its name in the protocol, and how it is read. */
const SETTINGS: Record<string, { key: keyof NodeSettingsChange; read: (text: string) => number | boolean }> = {
  heartbeat_interval: { key: "heartbeatInterval", read: duration },
  poll_interval: { key: "pollInterval", read: duration },
  key_interval: { key: "keyInterval", read: duration },
  container_metrics: { key: "containerMetrics", read: toggle },
  gpu_metrics: { key: "gpuMetrics", read: toggle },
};

const EXAMPLES = `
Examples:
  ctl nodes list -o wide                           the same as ctl get nodes
  ctl nodes add gpu-box-1                          prints the command to run on the host
  ctl nodes add --here desk                        of this machine; its agent needs no flags then
  ctl nodes set gpu-box-1 heartbeat_interval=30s   it reports less often: see ctl nodes set --help
  ctl nodes disable gpu-box-1                      it takes no new work; what runs goes on,
                                                   but open pages of containers end
  ctl nodes rotate gpu-box-1                       it makes itself a new key
  ctl nodes remove gpu-box-1                       its key is good for nothing any more`;

const SETTINGS_HELP = `
Settings:
  heartbeat_interval  how often it reports, such as 30s
  poll_interval       how often it asks what to run; no agent does that yet
  key_interval        how often it makes itself a new key
  container_metrics   whether its reports say what each container uses, true or false
  gpu_metrics         whether they say what NVIDIA's GPUs do, true or false

An empty value takes a setting back to the server's own.`;

export function nodesCommand(invocation: Invocation): Entry {
  const command = new Command("nodes")
    .description("List, add and change the hosts of a server.")
    .addHelpText("after", EXAMPLES);
  const each = (name: string, words: string, call: (path: string) => Call): Entry => ({
    command: new Command(name).description(words).argument("<node...>", "their names"),
    work: (nodes: string[]) => change(invocation, nodes, call),
  });
  const post =
    (action: string) =>
    (path: string): Call => ({ method: "POST", path: `${path}/${action}` });
  const entries = [
    nodesListing(invocation, ["list", "ls"]),
    addCommand(invocation),
    each("enable", "Let hosts take work again.", post("enable")),
    each(
      "disable",
      "Let hosts take no new work; what runs goes on, but open pages of containers end.",
      post("disable"),
    ),
    each("rotate", "Let hosts make themselves a new key.", post("rotate")),
    each("remove", "Take hosts out of the fleet.", (path) => ({ method: "DELETE", path })),
    setCommand(invocation),
  ];
  return { command, entries };
}

function addCommand(invocation: Invocation): Entry {
  const command = new Command("add")
    .description("Add a host: prints the one command to run there.")
    .argument("<name>", "what it is to be called in the fleet")
    .option(
      "--here",
      "it is this machine: keeps for its agent what that needs, so that `fairlead agent` is the command",
    );
  return { command, work: (node: string, { here }: { here?: true }) => add(invocation, node, here) };
}

async function add(invocation: Invocation, node: string, here: true | undefined): Promise<number> {
  const connection = await invocation.connection();
  const answer = await connection.send({ method: "POST", path: PATH, body: { name: node } });
  const { token, expires } = Added.parse(answer);
  const { url } = connection.server;
  // It may live below a path.
  const server = url.href.replace(/\/$/, "");
  const { stdout, messages, world } = invocation;
  if (here) await keep(credentialsFile(world.env), { server_url: server, node_name: node, token });
  await stdout.write(`${here ? "fairlead agent" : joinCommand({ server, node, token })}\n`);
  const minutes = Math.round((expires - Date.now()) / 60_000);
  messages.say(`Run that on ${here ? "this machine" : node} within ${minutes} minutes; the token is good once.`);
  if (!here && isLoopback(url))
    messages.say(
      `${url.hostname} means ${node} itself there: unless it is this machine, put the server's address in its place.`,
    );
  return 0;
}

async function change(invocation: Invocation, nodes: string[], call: (path: string) => Call): Promise<number> {
  const connection = await invocation.connection();
  return forEach(invocation, nodes, async (node) => {
    await connection.send(call(`${PATH}/${encodeURIComponent(node)}`));
    return `${node}\n`;
  });
}

function setCommand(invocation: Invocation): Entry {
  const command = new Command("set")
    .description("Change a host's settings.")
    .argument("<node>", "its name")
    .argument("<setting=value...>", "what to change")
    .addHelpText("after", SETTINGS_HELP);
  return { command, work: (node: string, settings: string[]) => set(invocation, node, settings) };
}

async function set(invocation: Invocation, node: string, settings: string[]): Promise<number> {
  const body = Object.fromEntries(settings.map(read));
  const connection = await invocation.connection();
  await connection.send({ method: "PATCH", path: `${PATH}/${encodeURIComponent(node)}/settings`, body });
  await invocation.stdout.write(`${node}\n`);
  return 0;
}

function read(text: string): [string, unknown] {
  const [name = "", ...rest] = text.split("=");
  const setting = SETTINGS[name.replaceAll("-", "_")];
  const value = rest.join("=");
  if (!setting || rest.length === 0)
    throw new UsageError(`"${text}" is no setting. Write NAME=VALUE with one of: ${Object.keys(SETTINGS).join(", ")}.`);
  try {
    return [setting.key, value === "" ? null : setting.read(value)];
  } catch (cause) {
    throw new UsageError(`"${value}" is no value of ${name}: ${cause instanceof Error ? cause.message : ""}.`, {
      cause,
    });
  }
}

/** Whole milliseconds. */
function duration(text: string): number {
  return Math.round(parseDuration(text));
}

function toggle(text: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new RangeError("write true or false");
}
