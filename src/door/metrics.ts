/** What the door counts about itself. */

import { Counter, type Registry } from "prom-client";
import type { ConnectionBudget } from "./budget.ts";
import { Figures } from "./figures.ts";

export interface DoorMetrics {
  /** By route pattern, never by address: the number of series is bounded by the route table. */
  answered(route: string, status: number): void;
  /** By the error's code, of which there are as many as the table of errors has. */
  refused(code: string): void;
}

export function doorMetrics(registry: Registry, budget: ConnectionBudget): DoorMetrics {
  const requests = new Counter({
    name: "fairlead_http_requests_total",
    help: "HTTP requests answered, by route and status.",
    labelNames: ["route", "status"],
    registers: [registry],
  });
  const refusals = new Counter({
    name: "fairlead_http_refusals_total",
    help: "HTTP requests answered with a problem, by its code.",
    labelNames: ["code"],
    registers: [registry],
  });
  const strangers = "Open connections on which nobody has proved who he is.";
  new Figures(registry).gauge(
    { name: "fairlead_http_unauthenticated_connections", help: strangers },
    () => budget.waiting,
  );
  return {
    answered: (route, status) => requests.inc({ route, status }),
    refused: (code) => refusals.inc({ code }),
  };
}
