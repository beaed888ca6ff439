/** A host of the fleet: what its agent tells about it, what the server lets it know, and how it is shown. */

import * as z from "zod/mini";
import { StatsView } from "./stats.ts";

const MAX_TEXT = 256;
const MAX_DETAIL = 1_024;
const MAX_ENGINES = 8;
const MAX_GPUS = 64;
const MAX_ADDRESSES = 8;
const MAX_PROCESSES = 64;
/** Containers of one host whose figures travel; the rest of an even larger host is left out. */
export const MAX_CONTAINERS = 2_000;

const text = z.string().check(z.maxLength(MAX_TEXT));
const bytes = z.number().check(z.minimum(0));
const share = z.number().check(z.minimum(0));
const count = z.int().check(z.minimum(0));

const SECOND = 1_000;
const DAY = 86_400_000;
const INTERVAL = "must be from 1s to 24h";
const interval = z.int().check(z.minimum(SECOND, INTERVAL), z.maximum(DAY, INTERVAL));

/** Unique in a fleet. */
export const NodeName = z
  .string()
  .check(
    z.regex(
      /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/,
      "must be letters, digits and ._- (at most 253, a letter or digit first and last)",
    ),
  );

/** What registration says of a host. */
export const NodeFacts = z.object({
  /** As the host's own configuration has it. */
  name: text,
  hostname: text,
  /** `linux`, `darwin` or `windows`. */
  platform: text,
  arch: text,
  cpuCount: count,
  /** Bytes. */
  memoryTotal: bytes,
  /** Detected: `docker`, `podman`. */
  containerEngines: z.array(text).check(z.maxLength(MAX_ENGINES)),
  /** The name and version of the engine in use, once it has answered. */
  engine: z.optional(text),
  agentVersion: text,
  /** `byom`: somebody's own machine; `fleet`: deployed and managed. */
  mode: z.enum(["byom", "fleet"]),
  /** A hint only: containers have none, and copied disks share one. */
  machineId: z.optional(text),
  /** Where the agent's own door is, for those who reach it, and the pin of its certificate. */
  url: z.optional(text),
  pin: z.optional(text),
  /** Whose a shell on the host is; absent where its agent gives none. */
  hostShell: z.optional(text),
  /** How often it wants to report, in milliseconds, where its own configuration says so. */
  heartbeatInterval: z.optional(interval),
});
export type NodeFacts = z.infer<typeof NodeFacts>;

const GpuMetrics = z.object({
  uuid: text,
  name: text,
  /** 0 to 100. */
  usage: z.optional(share),
  memoryTotal: z.optional(bytes),
  memoryUsed: z.optional(bytes),
  /** Degrees Celsius. */
  temperature: z.optional(z.number()),
  /** Watts. */
  power: z.optional(share),
  /** Who uses it: a process, its memory in bytes, and the id of its container where it has one. */
  processes: z
    .array(z.object({ pid: count, memory: z.optional(bytes), container: z.optional(text) }))
    .check(z.maxLength(MAX_PROCESSES)),
});
export type GpuMetrics = z.infer<typeof GpuMetrics>;

/** Where an agent can be dialled, each `host:port` with an IPv6 address in brackets, and the pin of the certificate that it shows there. */
export const DirectDoor = z.object({
  addresses: z
    .array(text.check(z.regex(/^([A-Za-z0-9.-]+|\[[0-9a-f:]+\]):\d{1,5}$/)))
    .check(z.minLength(1), z.maxLength(MAX_ADDRESSES)),
  pin: z.string().check(z.regex(/^sha256:[0-9a-f]{64}$/)),
});
export type DirectDoor = z.infer<typeof DirectDoor>;

/** One report of a host. Rates are per second, since the report before. */
export const Beat = z.object({
  /** 0 to 100, of all processors together. */
  cpuUsage: z.number().check(z.minimum(0), z.maximum(100)),
  memoryTotal: bytes,
  memoryFree: bytes,
  diskTotal: z.optional(bytes),
  diskFree: z.optional(bytes),
  diskRead: z.optional(bytes),
  diskWritten: z.optional(bytes),
  received: z.optional(bytes),
  sent: z.optional(bytes),
  load: z.optional(z.number()),
  processes: z.optional(count),
  engineReady: z.boolean(),
  containersRunning: count,
  containers: z.optional(z.array(StatsView).check(z.maxLength(MAX_CONTAINERS))),
  gpus: z.optional(z.array(GpuMetrics).check(z.maxLength(MAX_GPUS))),
  /** How the connection stands that carries sessions. */
  gatewayStatus: z.optional(text),
  gatewayStatusDetail: z.optional(z.string().check(z.maxLength(MAX_DETAIL))),
  /** Absent where only the server reaches the agent. */
  direct: z.optional(DirectDoor),
});
export type Beat = z.infer<typeof Beat>;

/** What the server tells a host, at registration and with each reply. Milliseconds. */
export const NodeSettings = z.object({
  enabled: z.boolean(),
  heartbeatInterval: interval,
  pollInterval: interval,
  /** How often the host makes itself a new key. */
  keyInterval: z.int().check(z.minimum(60 * SECOND), z.maximum(366 * DAY)),
  containerMetrics: z.boolean(),
  gpuMetrics: z.boolean(),
});
export type NodeSettings = z.infer<typeof NodeSettings>;

/** What `ctl nodes set` changes; null takes a setting back to the server's own. Whether a host is enabled has commands of its own. */
export const NodeSettingsChange = z.partial(
  z.strictObject({
    heartbeatInterval: z.nullable(interval),
    pollInterval: z.nullable(interval),
    keyInterval: z.nullable(NodeSettings.shape.keyInterval),
    containerMetrics: z.nullable(z.boolean()),
    gpuMetrics: z.nullable(z.boolean()),
  }),
);
export type NodeSettingsChange = z.infer<typeof NodeSettingsChange>;

/** `Pending`: added, and its agent has not come yet. */
export const NodeStatus = z.enum(["Pending", "Ready", "NotReady"]);
export type NodeStatus = z.infer<typeof NodeStatus>;

/** What is wrong with a host, though it may report. */
export const NodeWarning = z.object({ code: z.string(), message: z.string(), time: z.number() });
export type NodeWarning = z.infer<typeof NodeWarning>;

export const NodeView = z.object({
  name: z.string(),
  uid: z.string(),
  status: NodeStatus,
  /** Milliseconds since 1970. */
  created: z.number(),
  registered: z.optional(z.number()),
  lastSeen: z.optional(z.number()),
  /** From where its agent calls. */
  address: z.optional(z.string()),
  settings: NodeSettings,
  /** Which of them are the host's own; the others are the server's. */
  ownSettings: z.optional(z.array(z.string())),
  facts: z.optional(NodeFacts),
  /** The last one; what containers use is told of each by itself. */
  beat: z.optional(z.omit(Beat, { containers: true })),
  key: z.optional(z.object({ id: z.string(), since: z.number() })),
  /** Of the last hour: somebody uses a copy of its key, its clock is wrong. */
  warnings: z.optional(z.array(NodeWarning)),
});
export type NodeView = z.infer<typeof NodeView>;

/** Its last report, where that is how it is now: of a host that is away it only tells how it was. */
export function presentBeat({ status, beat }: { status: string } & Pick<NodeView, "beat">): NodeView["beat"] {
  return status === "Ready" ? beat : undefined;
}

export const NodeList = z.object({ nodes: z.array(NodeView) });

/**
 * Hosts by name as they change: each line is a JSON Merge Patch (RFC 7396) of what the lines before it have made, the first
 * one of nothing.
 */
export const NodeChanges = z.object({ nodes: z.record(z.string(), z.nullable(z.record(z.string(), z.unknown()))) });
export type NodeChanges = z.infer<typeof NodeChanges>;
