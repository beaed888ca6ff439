/** Everything that the server counts, as docs/metrics.md describes it. */

import { stat } from "node:fs/promises";
import { Counter, type Registry } from "prom-client";
import { Figures } from "../door/figures.ts";
import { NodeStatus } from "../protocol/node.ts";
import { OpenHeader } from "../protocol/open.ts";
import type { Nodes } from "./nodes/nodes.ts";
import type { Registration } from "./nodes/registration.ts";
import type { Exchange } from "./relay/exchange.ts";
import type { RelayAuditLine } from "./relay/ledger.ts";
import type { SqliteStorage } from "./store/sqlite.ts";

/** A client may name an operation that only its agent knows: all of these are one. */
const OTHER = "other";

export interface ServerFigures {
  nodes: Nodes;
  registration: Registration;
  exchange: Exchange;
  storage: SqliteStorage;
  /** The database's file. */
  path: string;
}

export function serverMetrics(registry: Registry, parts: ServerFigures): void {
  const figures = new Figures(registry);
  fleetMetrics(figures, parts);
  relayMetrics(figures, parts);
  databaseMetrics(figures, parts);
}

function fleetMetrics(figures: Figures, { nodes, registration, exchange: { uplinks } }: ServerFigures): void {
  const statuses = "Hosts of the fleet, by status.";
  figures.gauge({ name: "fairlead_nodes", help: statuses, labels: ["status"] }, async () => {
    const all = await nodes.list();
    const count = (status: NodeStatus) => all.filter((node) => node.status === status).length;
    return NodeStatus.options.map((status) => [{ status }, count(status)] as const);
  });
  const connected = "Hosts whose agents are connected, so that sessions can go there.";
  figures.gauge({ name: "fairlead_agents_connected", help: connected }, () => uplinks.nodes.length);
  const beats = "Reports of hosts that were taken.";
  figures.counter({ name: "fairlead_beats_total", help: beats }, () => registration.beats);
}

function relayMetrics(figures: Figures, { exchange: { relay, budget } }: ServerFigures): void {
  const clients = "Clients that are connected for sessions.";
  figures.gauge({ name: "fairlead_client_connections", help: clients }, () => relay.traffic.clients);
  const channels = "Channels between clients and agents, and connections for containers' pages, that are open.";
  figures.gauge({ name: "fairlead_relayed_channels", help: channels }, () => relay.traffic.channels);
  const bytes = "Messages on these channels up to now, from clients (in) and to them (out).";
  figures.counter({ name: "fairlead_relayed_bytes_total", help: bytes, labels: ["direction"] }, () => [
    [{ direction: "in" }, relay.traffic.in],
    [{ direction: "out" }, relay.traffic.out],
  ]);
  const used = "Memory that the windows of channels took beyond what each is guaranteed.";
  figures.gauge({ name: "fairlead_relay_budget_used_bytes", help: used }, () => budget.used);
  figures.gauge({ name: "fairlead_relay_budget_limit_bytes", help: "What they may take." }, () => budget.total);
}

function databaseMetrics(figures: Figures, { storage, path }: ServerFigures): void {
  const counter = (name: string, help: string, value: () => number) =>
    figures.counter({ name: `fairlead_database_${name}_total`, help }, value);
  counter("commits", "Transactions that are on the disk.", () => storage.commits);
  counter("commit_seconds", "Time that transactions took, failed ones too.", () => storage.commitMs / 1_000);
  counter("failures", "Transactions that failed.", () => storage.failures);
  const waiting = "Changes that wait for a transaction.";
  figures.gauge({ name: "fairlead_database_waiting_changes", help: waiting }, () => storage.waiting);
  const writable = "1 while changes reach the disk; 0: they do not, and are refused.";
  figures.gauge({ name: "fairlead_database_writable", help: writable }, () => Number(storage.writable));
  const damaged = "Records that were found and cannot be understood.";
  figures.gauge({ name: "fairlead_database_damaged_records", help: damaged }, () => storage.damaged);
  const size = "What the database takes on the disk, without its journal.";
  figures.gauge({ name: "fairlead_database_size_bytes", help: size }, async () => (await stat(path)).size);
}

/** Hears each line of the relay's audit, and counts it. */
export function relayCounts(registry: Registry): (line: RelayAuditLine) => void {
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `fairlead_relayed_${name}_total`, help, labelNames, registers: [registry] });
  const opened = counter("sessions", "Sessions and requests that were passed on to agents.", ["kind"]);
  const refused = counter("refusals", "Requests for sessions that were not passed on, by why.", ["kind", "code"]);
  return ({ event, kind: asked, outcome = "" }) => {
    const kind = OpenHeader.shape.op.safeParse(asked).success ? asked : OTHER;
    if (event === "open") opened.inc({ kind });
    else if (event === "refuse") refused.inc({ kind, code: outcome });
  };
}
