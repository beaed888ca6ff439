/** A desk (Sessions over a scripted runtime) and clients that reach it through connections a test can cut. */

import { Client } from "../../src/client/client.ts";
import { Budget } from "../../src/mux/budget.ts";
import type { AuditLine } from "../../src/protocol/audit.ts";
import { openHost } from "../../src/agent/runtime/host/host.ts";
import { Containers } from "../../src/agent/session/containers.ts";
import type { SessionLimits } from "../../src/agent/session/limits.ts";
import { Sessions } from "../../src/agent/session/sessions.ts";
import { EventHistory } from "../../src/agent/session/events.ts";
import { StatsSources } from "../../src/agent/session/stats.ts";
import type { Grant } from "../../src/protocol/rights.ts";
import type { Host } from "../../src/agent/runtime/runtime.ts";
import { ScriptedRuntime, type ScriptedOptions } from "./scripted-runtime.ts";
import { type CutAt, transportPair, type TransportPair } from "./transport-pair.ts";

export const ADMIN: Grant = { subject: "test", rights: ["admin"], scopes: [] };

export interface DeskOptions extends ScriptedOptions {
  host?: Host;
  limits?: Partial<SessionLimits>;
  /** The container in which the agent believes to be. */
  own?: string;
}

export async function startDesk(options: DeskOptions = {}) {
  const runtime = new ScriptedRuntime(options);
  const containers = new Containers({ runtime, node: "test", own: options.own, onEngine: () => {} });
  await containers.whenReady(AbortSignal.timeout(1_000));
  const audit: AuditLine[] = [];
  const limits = {
    sessions: 100,
    sessionsPerContainer: 100,
    connections: 100,
    idle: 0,
    grace: 60_000,
    ...options.limits,
  };
  const budget = new Budget(64 * 1024 * 1024);
  const sessions = new Sessions({
    runtime,
    host: options.host ?? (await openHost({ shell: false, user: "" })),
    containers,
    limits,
    budget,
    audit: (line) => void audit.push(line),
    software: "test",
  });
  const revoke = new AbortController();
  const connect = (cutAt: CutAt = {}, grant: Grant = ADMIN): TransportPair => {
    const pair = transportPair(cutAt);
    sessions.serve(pair.b, { grant, revoked: revoke.signal }, { address: "127.0.0.1", door: "test" });
    return pair;
  };
  /** The first connection is cut where `cuts` says, the next ones not, unless it has more to say. */
  const client = (cuts: CutAt[] = [], grant: Grant = ADMIN) => {
    const pairs: TransportPair[] = [];
    const dial = async () => {
      const pair = connect(cuts[pairs.length] ?? {}, grant);
      pairs.push(pair);
      return pair.a;
    };
    return Object.assign(new Client({ dial, software: "test" }), { pairs });
  };
  const events = new EventHistory(runtime);
  const stats = new StatsSources({ runtime, containers });
  return {
    runtime,
    stats,
    events,
    containers,
    sessions,
    audit,
    budget,
    connect,
    client,
    revoke: () => revoke.abort(),
    close: async () => {
      await sessions.close();
      await Promise.all([containers.close(), events.close()]);
    },
  };
}
