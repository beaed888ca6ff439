/** What happened in the fleet: the end of it, or as it happens. */

import { z } from "zod";
import { holds, reaches } from "../../../auth/grant.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import type { Watches } from "../../../door/watches.ts";
import { type FleetEvent, FleetEvents } from "../../../protocol/events.ts";
import { isSet, WatchQuery } from "../../../protocol/query.ts";
import type { History } from "../../history/history.ts";

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

/** `seconds.nanoseconds` since 1970, as `ctl` writes all times. In milliseconds. */
const moment = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,9})?$/)
  .transform((text) => Number(text) * 1_000);

const whole = z
  .string()
  .regex(/^\d{1,15}$/)
  .transform(Number);

const EventsQuery = z.strictObject({
  after: whole.optional().describe("Those after this one, by `seq`; else the last ones."),
  limit: whole.pipe(z.int().min(1).max(MAX_LIMIT)).default(DEFAULT_LIMIT).describe(`At most ${MAX_LIMIT}.`),
  watch: WatchQuery.shape.watch,
  since: moment.optional(),
  until: moment.optional(),
});

const EVENTS = {
  summary: "What happened in the fleet, to hosts that you may see.",
  description:
    "With `watch` those events first, then each as it happens, one list a line; empty lines are signs of life.",
  querystring: EventsQuery,
  response: {
    200: {
      description: "The events, oldest first.",
      content: { "application/json": { schema: FleetEvents }, "application/x-ndjson": { schema: FleetEvents } },
    },
  },
} as const;

export interface HistoryRoutes {
  events: History<FleetEvent>;
  watches: Watches;
}

export function addHistory(app: App, { events, watches }: HistoryRoutes): void {
  app.get("/api/v1/events", { config: { access: "list" }, schema: EVENTS }, async (request, reply) => {
    const { grant } = callerOf(request).subject;
    const { after, limit, watch, since = 0, until = Number.POSITIVE_INFINITY } = request.query;
    const mine = ({ node, time }: FleetEvent) =>
      time >= since && time <= until && (node === undefined ? holds(grant, "admin") : reaches(grant, node));
    const wish = { limit, ...(after !== undefined && { after }) };
    if (!isSet(watch)) return { events: (await events.read(wish)).filter(mine) };
    return watches.start(request, reply, (signal) => follow(events, { wish, signal: ending(signal, until), mine }));
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
