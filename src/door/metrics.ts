/** What the door counts about itself. */

import { Counter, Gauge, type Registry } from "prom-client";
import type { ConnectionBudget } from "./budget.ts";

export interface DoorMetrics {
  /** By route pattern, never by address: the number of series is bounded by the route table. */
  answered(route: string, status: number): void;
}

export function doorMetrics(registry: Registry, budget: ConnectionBudget): DoorMetrics {
  const requests = new Counter({
    name: "fairlead_http_requests_total",
    help: "HTTP requests answered, by route and status.",
    labelNames: ["route", "status"],
    registers: [registry],
  });
  const strangers: Gauge = new Gauge({
    name: "fairlead_http_unauthenticated_connections",
    help: "Open connections on which nobody has proved who he is.",
    registers: [registry],
    collect: () => strangers.set(budget.waiting),
  });
  return { answered: (route, status) => requests.inc({ route, status }) };
}
