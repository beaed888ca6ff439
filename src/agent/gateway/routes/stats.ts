/** What containers use: once, or about once a second. */

import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { goneSignal } from "../../../door/stay.ts";
import type { Watches } from "../../../door/watches.ts";
import type { ErrorCode } from "../../../protocol/errors.ts";
import { isSet, WatchQuery } from "../../../protocol/query.ts";
import { StatsList, type StatsView } from "../../../protocol/stats.ts";
import { ContainerParams } from "../input.ts";
import type { StatsDesk } from "../options.ts";

const PROBLEMS: ErrorCode[] = ["ambiguous", "not-running", "too-many", "engine-unavailable", "engine-error"];
const ALL = {
  summary: "What the containers that you may inspect use.",
  description: "With `watch` again about once a second, one list a line, and empty lines as signs of life.",
  querystring: WatchQuery,
  problems: PROBLEMS,
  response: {
    200: {
      description: "The figures.",
      content: { "application/json": { schema: StatsList }, "application/x-ndjson": { schema: StatsList } },
    },
  },
} as const;
const ONE = { ...ALL, summary: "What one container uses.", params: ContainerParams } as const;

export interface StatsParts {
  node: string;
  stats: StatsDesk;
  watches: Watches;
}

/** `inspect` is the right, and not `metrics`: that one is about the agent, and its holder may reach no container at all. */
export function addStats(app: App, { node, stats, watches }: StatsParts): void {
  const config = { access: "inspect" } as const;
  const listed = (views: StatsView[]): StatsList => ({ node, stats: views });
  const answer = async (request: FastifyRequest, reply: FastifyReply, reference?: string) => {
    const { watch } = request.query as z.output<typeof WatchQuery>;
    const asked = { grant: callerOf(request).subject.grant, ...(reference !== undefined && { reference }) };
    if (!isSet(watch)) return listed(await stats.once(asked, goneSignal(reply.raw)));
    await stats.check(asked);
    return watches.start(request, reply, (signal) => mapped(stats.changes(asked, signal), listed));
  };
  app.get("/api/v1/stats", { config, schema: ALL }, (request, reply) => answer(request, reply));
  app.get("/api/v1/containers/:ref/stats", { config, schema: ONE }, (request, reply) =>
    answer(request, reply, request.params.ref),
  );
}

async function* mapped<A, B>(values: AsyncIterable<A>, change: (value: A) => B): AsyncGenerator<B> {
  for await (const value of values) yield change(value);
}
