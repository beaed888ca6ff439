/** How a host of the fleet looks in a row, and in full. */

import { age } from "../lib/age.ts";
import { formatDuration } from "../lib/duration.ts";
import { roundSize } from "../lib/size.ts";
import { type NodeStatus, type NodeView, presentBeat } from "../protocol/node.ts";
import type { Listing } from "./output-format.ts";
import { printable } from "./printable.ts";

const HEADINGS = ["NAME", "STATUS", "AGE"];
const WIDE = [...HEADINGS, "ADDRESS", "VERSION", "ENGINE", "CPU", "MEMORY", "DISK", "GPU", "CONTAINERS", "GATEWAY"];
const UNKNOWN = "-";

/** A host as the server shows it, or as it did before it was removed. */
export type ListedNode = Omit<NodeView, "status"> & { status: NodeStatus | "Removed" };

export const NODES: Listing<ListedNode> = {
  headings: HEADINGS,
  row,
  wide: { headings: WIDE, row: wideRow },
  name: ({ name }) => name,
};

export function statusWords({ status, settings }: ListedNode): string {
  return settings.enabled || status === "Removed" ? status : `${status},Disabled`;
}

function row(node: ListedNode): string[] {
  return [node.name, statusWords(node), age(Date.now() - node.created)];
}

function wideRow(node: ListedNode): string[] {
  const { address = UNKNOWN, facts } = node;
  const beat = presentBeat(node);
  const gpus = beat?.gpus?.map(({ usage }) => (usage === undefined ? UNKNOWN : `${Math.round(usage)}%`)) ?? [];
  return [
    ...row(node),
    address,
    facts?.agentVersion ?? UNKNOWN,
    facts?.engine ?? UNKNOWN,
    beat ? `${Math.round(beat.cpuUsage)}%` : UNKNOWN,
    beat ? used(beat.memoryTotal, beat.memoryFree) : UNKNOWN,
    beat?.diskTotal !== undefined && beat.diskFree !== undefined ? used(beat.diskTotal, beat.diskFree) : UNKNOWN,
    gpus.length > 0 ? gpus.join(",") : UNKNOWN,
    beat?.engineReady ? String(beat.containersRunning) : UNKNOWN,
    beat?.gatewayStatus ?? UNKNOWN,
  ];
}

/** `1.2 GiB / 7.8 GiB`. */
function used(total: number, free: number): string {
  return `${roundSize(total - free, 1024)} / ${roundSize(total, 1024)}`;
}

/** Everything about one host: a line each. */
export function describe(node: NodeView, now: number): string {
  const { facts, settings, key } = node;
  const beat = presentBeat(node);
  const ago = (time: number | undefined) => (time === undefined ? UNKNOWN : `${age(now - time)} ago`);
  const lines: [string, string | undefined][] = [
    ["Name", node.name],
    ["Status", statusWords(node)],
    ["Added", ago(node.created)],
    ["Registered", ago(node.registered)],
    ["Last report", ago(node.lastSeen)],
    ["Address", node.address],
    ["Hostname", facts?.hostname],
    ["Platform", facts && `${facts.platform} ${facts.arch}`],
    ["Agent", facts && `${facts.agentVersion} (${facts.mode})`],
    ["Engine", facts?.engine ?? facts?.containerEngines.join(", ")],
    ["Own door", facts?.url && `${facts.url} ${facts.pin ?? ""}`],
    ["Key", key && `${key.id}, ${age(now - key.since)} old`],
    ["CPU", facts && `${facts.cpuCount} processors${beat ? `, ${beat.cpuUsage.toFixed(1)}% busy` : ""}`],
    ["Memory", beat && used(beat.memoryTotal, beat.memoryFree)],
    ["Disk", beat?.diskTotal === undefined ? undefined : used(beat.diskTotal, beat.diskFree ?? 0)],
    ["Network", rate(beat?.received, beat?.sent)],
    ["Disk I/O", rate(beat?.diskRead, beat?.diskWritten)],
    ["Containers", beat && (beat.engineReady ? `${beat.containersRunning} running` : "the engine does not answer")],
    ...(beat?.gpus ?? []).map((gpu): [string, string] => ["GPU", gpuWords(gpu)]),
    ["Gateway", beat?.gatewayStatus && [beat.gatewayStatus, beat.gatewayStatusDetail].filter(Boolean).join(": ")],
    ...(node.warnings ?? []).map(({ message }): [string, string] => ["Warning", message]),
    ["Heartbeat", `every ${formatDuration(settings.heartbeatInterval)}`],
    ["Poll", `every ${formatDuration(settings.pollInterval)}; no agent does that yet`],
    ["New key", `every ${formatDuration(settings.keyInterval)}`],
  ];
  const known = lines.filter((line): line is [string, string] => line[1] !== undefined && line[1] !== "");
  return known.map(([name, value]) => `${`${name}:`.padEnd(14)}${printable(value)}\n`).join("");
}

function rate(first: number | undefined, second: number | undefined): string | undefined {
  if (first === undefined || second === undefined) return undefined;
  return `${roundSize(first, 1000)}/s in, ${roundSize(second, 1000)}/s out`;
}

function gpuWords({ name, usage, memoryUsed, memoryTotal, temperature, power }: Gpu): string {
  const memory = memoryUsed !== undefined && memoryTotal !== undefined && used(memoryTotal, memoryTotal - memoryUsed);
  return [
    name,
    usage !== undefined && `${usage}%`,
    memory,
    temperature !== undefined && `${temperature} C`,
    power !== undefined && `${power} W`,
  ]
    .filter(Boolean)
    .join(", ");
}

type Gpu = NonNullable<NonNullable<NodeView["beat"]>["gpus"]>[number];
