/** What happened to containers: lately, or as it happens. */

import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import type { Watches } from "../../../door/watches.ts";
import { ContainerEventList, type ContainerEventView } from "../../../protocol/container-events.ts";
import { EventsQuery, isSet } from "../../../protocol/query.ts";
import { timeOf } from "../input.ts";
import type { EventDesk } from "../options.ts";

const SCHEMA = {
  summary: "What happened to the containers that you may list.",
  description:
    "With `watch` also what happens from now on: one list of new events a line, and empty lines as signs of life.",
  querystring: EventsQuery,
  problems: ["too-many"],
  response: {
    200: {
      description: "The events, the oldest first.",
      content: {
        "application/json": { schema: ContainerEventList },
        "application/x-ndjson": { schema: ContainerEventList },
      },
    },
  },
} as const;

export interface EventParts {
  node: string;
  events: EventDesk;
  watches: Watches;
}

/** Answered also while the engine is away: that is when people look here. */
export function addEvents(app: App, { node, events, watches }: EventParts): void {
  app.get("/api/v1/events", { config: { access: "list" }, schema: SCHEMA }, async (request, reply) => {
    const { watch, since, until } = request.query;
    const asked = {
      grant: callerOf(request).subject.grant,
      ...(since !== undefined && { since: timeOf("since", since) }),
      ...(until !== undefined && { until: timeOf("until", until) }),
    };
    if (!isSet(watch)) return { node, events: events.past(asked) } satisfies ContainerEventList;
    return watches.start(request, reply, (signal) => lists(node, events.follow(asked, signal)));
  });
}

async function* lists(
  node: string,
  batches: AsyncIterable<ContainerEventView[]>,
): AsyncGenerator<ContainerEventList, void, undefined> {
  for await (const events of batches) yield { node, events };
}
