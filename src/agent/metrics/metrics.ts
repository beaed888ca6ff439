/** Everything that the agent counts, as docs/metrics.md describes it. */

import type { Registry } from "prom-client";
import type { AuditLog } from "../../audit/audit-log.ts";
import { Figures } from "../../door/figures.ts";
import type { Budget } from "../../mux/budget.ts";
import type { AgentConfig } from "../config.ts";
import type { Containers } from "../session/containers.ts";
import type { SessionsLine } from "../sessions-line.ts";
import type { Uplink, UplinkStatus } from "../uplink/uplink.ts";
import { limitMetrics, type SessionFigures, sessionMetrics } from "./sessions.ts";

export interface AgentFigures extends Omit<SessionFigures, "relayed"> {
  config: AgentConfig;
  containers: Containers;
  budget: Budget;
  audit: AuditLog;
  /** Absent without a server. */
  uplink: Uplink | undefined;
  line: SessionsLine | undefined;
}

const UPLINK_STATES: UplinkStatus["state"][] = ["connecting", "connected", "refused"];

export function agentMetrics(registry: Registry, parts: AgentFigures): void {
  const { containers, config, line } = parts;
  sessionMetrics(registry, { ...parts, relayed: () => line?.channels ?? 0 });
  limitMetrics(registry, parts);
  const figures = new Figures(registry);
  figures.gauge({ name: "fairlead_engine_up", help: "1 while the container engine answers." }, () =>
    Number(containers.ready),
  );
  figures.gauge({ name: "fairlead_containers_running", help: "Containers that run." }, () => containers.running);
  auditMetrics(figures, parts.audit, config.audit_max_size);
  uplinkMetrics(figures, parts);
}

function auditMetrics(figures: Figures, audit: AuditLog, limit: number): void {
  const counter = (name: string, help: string, value: () => number) =>
    figures.counter({ name: `fairlead_audit_${name}_total`, help }, value);
  counter("records", "Records that stand in the audit log.", () => audit.written);
  counter("write_failures", "Attempts to write the audit log that failed.", () => audit.failures);
  counter("lost_records", "Records that could not be kept until the audit log could be written.", () => audit.lost);
  const gauge = (name: string, help: string, value: () => number | Promise<number>) =>
    figures.gauge({ name: `fairlead_audit_${name}`, help }, value);
  gauge("waiting_records", "Records that wait for the disk.", () => audit.waiting);
  gauge("size_bytes", "What the files of the audit log take.", () => audit.size());
  gauge("limit_bytes", "audit_max_size.", () => limit);
}

/** Without a server they have no value. */
function uplinkMetrics(figures: Figures, { uplink, line }: AgentFigures): void {
  const state = "1 for how this host stands with its server, 0 for the other states.";
  figures.gauge({ name: "fairlead_uplink_state", help: state, labels: ["state"] }, () =>
    uplink ? UPLINK_STATES.map((it) => [{ state: it }, Number(uplink.status.state === it)]) : [],
  );
  const sessions = "1 while sessions can come through the server.";
  figures.gauge({ name: "fairlead_uplink_sessions", help: sessions }, () => {
    const status = line?.status;
    return status ? [[{}, Number(status.gatewayStatus === "connected")]] : [];
  });
}
