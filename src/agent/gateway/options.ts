/** What the gateway is given: its configuration, and the parts of the agent that it puts behind a door. */

import type { Registry } from "prom-client";
import type { AuditLog } from "../../audit/audit-log.ts";
import type { Credentials } from "../../auth/credentials.ts";
import type { AppLimits } from "../../door/apps/desk.ts";
import type { DoorConfig, Log } from "../../door/options.ts";
import type { AuditDesk } from "../../door/routes/audit.ts";
import type { Containers } from "../session/containers.ts";
import type { Passes } from "../session/passes.ts";
import type { EventHistory } from "../session/events.ts";
import type { Sessions } from "../session/sessions.ts";
import type { StatsSources } from "../session/stats.ts";

export interface GatewayConfig extends DoorConfig {
  nodeName: string;
  /** Of this program. */
  version: string;
  /** Anyone may read `/metrics`. */
  metricsPublic: boolean;
  /** Below whose host name containers' pages are met from other machines, e.g. `https://apps.example.com`. */
  appsUrl?: string;
  appLimits?: Partial<AppLimits>;
}

/** What the doors use of the session desk. */
export type ContainerDesk = Pick<Containers, "ready" | "away" | "listed" | "detail" | "changes">;
export type SessionDesk = Pick<Sessions, "serve" | "open" | "check" | "connect" | "control">;

export type StatsDesk = Pick<StatsSources, "once" | "check" | "changes">;

export type EventDesk = Pick<EventHistory, "past" | "follow">;

export interface GatewayOptions {
  audit: AuditDesk & Pick<AuditLog, "record">;
  config: GatewayConfig;
  credentials: Credentials;
  containers: ContainerDesk;
  sessions: SessionDesk;
  stats: StatsDesk;
  events: EventDesk;
  /** Absent where nobody comes directly with the server's word. */
  passes?: Pick<Passes, "admit"> | undefined;
  /** Whether the container engine answers. */
  runtimeReady: () => boolean;
  /** How the agent stands with its server, where it has one. */
  uplink?: () => object;
  metrics: Registry;
  log: Log;
  /** Whose a shell on the host is, where there is one. */
  hostShellUser?: string;
  /** The built page; absent, the agent serves its API only. */
  uiDirectory?: string;
}
