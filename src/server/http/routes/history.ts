/** What happened in the fleet, and who did what: the end of it, or as it happens. */

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { holds, reaches } from "../../../auth/grant.ts";
import { callerOf } from "../../../door/door.ts";
import { parseInput } from "../../../door/input.ts";
import type { Watches } from "../../../door/watches.ts";
import type { AuditEntry, FleetEvent } from "../../../protocol/events.ts";
import type { History } from "../../history/history.ts";

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

/** `seconds.nanoseconds` since 1970, as `ctl` writes all times. In milliseconds. */
const moment = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,9})?$/)
  .transform((text) => Number(text) * 1_000);

const HistoryQuery = z.strictObject({
  after: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(MAX_LIMIT).default(DEFAULT_LIMIT),
  watch: z.enum(["0", "1", "false", "true"]).optional(),
});

const EventsQuery = HistoryQuery.extend({ since: moment.optional(), until: moment.optional() });

export interface HistoryRoutes {
  events: History<FleetEvent>;
  audit: History<AuditEntry>;
  watches: Watches;
}

export function addHistory(app: FastifyInstance, { events, audit, watches }: HistoryRoutes): void {
  app.get("/api/v1/events", { config: { access: "list" } }, async (request, reply) => {
    const { grant } = callerOf(request).subject;
    const { after, limit, watch, since = 0, until = Number.POSITIVE_INFINITY } = parseInput(EventsQuery, request.query);
    const mine = ({ node, time }: FleetEvent) =>
      time >= since && time <= until && (node === undefined ? holds(grant, "admin") : reaches(grant, node));
    const wish = { limit, ...(after !== undefined && { after }) };
    if (watch !== "1" && watch !== "true") return { events: (await events.read(wish)).filter(mine) };
    return watches.start(request, reply, (signal) => follow(events, { wish, signal: ending(signal, until), mine }));
  });
  app.get("/api/v1/audit", { config: { access: "admin" } }, async (request) => {
    const { after, limit } = parseInput(HistoryQuery, request.query);
    return { entries: await audit.read({ limit, ...(after !== undefined && { after }) }) };
  });
}

/** Longest time that a timer can wait, in milliseconds. */
const MAX_TIMER = 2_147_483_647;

/** With the signal, and when the time has come. */
function ending(signal: AbortSignal, until: number): AbortSignal {
  const left = Math.max(0, until - Date.now());
  return left > MAX_TIMER ? signal : AbortSignal.any([signal, AbortSignal.timeout(Math.ceil(left))]);
}

interface Following {
  wish: { after?: number; limit: number };
  signal: AbortSignal;
  mine: (event: FleetEvent) => boolean;
}

/** The last ones, or those after a given one; then each as it happens. */
async function* follow(events: History<FleetEvent>, { wish, signal, mine }: Following) {
  let { after } = wish;
  if (after === undefined) {
    const last = await events.read(wish);
    after = last.at(-1)?.seq ?? 0;
    yield { events: last.filter(mine) };
  }
  for await (const page of events.follow(after, signal)) yield { events: page.filter(mine) };
}
