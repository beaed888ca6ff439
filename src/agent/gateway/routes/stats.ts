/** What containers use: once, or about once a second. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { callerOf } from "../../../door/door.ts";
import { parseInput } from "../../../door/input.ts";
import { goneSignal } from "../../../door/stay.ts";
import type { Watches } from "../../../door/watches.ts";
import { isSet, WatchQuery } from "../../../protocol/query.ts";
import type { StatsList, StatsView } from "../../../protocol/stats.ts";
import { ContainerParams } from "../input.ts";
import type { StatsDesk } from "../options.ts";

export interface StatsParts {
  node: string;
  stats: StatsDesk;
  watches: Watches;
}

/** `inspect` is the right, and not `metrics`: that one is about the agent, and its holder may reach no container at all. */
export function addStats(app: FastifyInstance, { node, stats, watches }: StatsParts): void {
  const config = { access: "inspect" } as const;
  const listed = (views: StatsView[]): StatsList => ({ node, stats: views });
  const answer = async (request: FastifyRequest, reply: FastifyReply, reference?: string) => {
    const { watch } = parseInput(WatchQuery, request.query);
    const asked = { grant: callerOf(request).subject.grant, ...(reference !== undefined && { reference }) };
    if (!isSet(watch)) return listed(await stats.once(asked, goneSignal(reply.raw)));
    await stats.check(asked);
    return watches.start(request, reply, (signal) => mapped(stats.changes(asked, signal), listed));
  };
  app.get("/api/v1/stats", { config }, (request, reply) => answer(request, reply));
  app.get("/api/v1/containers/:ref/stats", { config }, (request, reply) =>
    answer(request, reply, parseInput(ContainerParams, request.params).ref),
  );
}

async function* mapped<A, B>(values: AsyncIterable<A>, change: (value: A) => B): AsyncGenerator<B> {
  for await (const value of values) yield change(value);
}
