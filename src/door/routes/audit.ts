/** The audit log over HTTP: its records, also as they are written, and whether they are as they were written. */

import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { AuditLog } from "../../audit/audit-log.ts";
import { linesOf } from "../../audit/files.ts";
import { unseal } from "../../audit/record.ts";
import { checkShare, takenFrom } from "../../auth/share.ts";
import type { App } from "../declaration.ts";
import { callerOf } from "../door.ts";
import { NoQuery } from "../input.ts";
import { problemOf } from "../problems.ts";
import type { Limits } from "../options.ts";
import { goneSignal, stay } from "../stay.ts";
import { parseTime } from "../../lib/time.ts";
import { AuditRecord, AuditVerdict } from "../../protocol/audit.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { AuditQuery, isSet } from "../../protocol/query.ts";
import { Feed } from "../feed.ts";

const LIST = {
  summary: "What was done, by whom, to what, and what was refused.",
  description:
    "One record a line, oldest first. With `follow` it goes on, with empty lines as signs of life; a reader that does not keep up is cut.",
  querystring: AuditQuery,
  problems: ["too-many"],
  response: {
    200: { description: "The records.", content: { "application/x-ndjson": { schema: AuditRecord } } },
  },
} as const;

const VERIFY = {
  summary: "Whether every record of the audit log is there, and as it was written.",
  querystring: NoQuery,
  response: { 200: AuditVerdict },
} as const;

export type AuditDesk = Pick<AuditLog, "listen" | "files" | "seq" | "verify">;

export interface AuditParts {
  audit: AuditDesk;
  limits: Limits;
  draining: AbortSignal;
}

interface Wish {
  wanted: (record: AuditRecord) => boolean;
  /** Only the last so many of those in the files. */
  tail: number | undefined;
}

export function addAudit(app: App, { audit, limits, draining }: AuditParts): void {
  const config = { access: "admin" } as const;
  /** Whose each answer is that goes on. */
  const following = new Map<FastifyReply, string>();
  app.get("/api/v1/audit", { config, schema: LIST }, async (request, reply) => {
    const { follow, tail } = request.query;
    const wish = { wanted: filterOf(request.query), tail: tail === undefined ? undefined : Number(tail) };
    if (!isSet(follow)) return send(reply, records(audit, wish));
    const { subject } = callerOf(request);
    const name = subject.grant.subject;
    const taken = takenFrom([...following.values()], name);
    checkShare(limits.watches, taken, `At most ${limits.watches} readers follow the audit log at a time`);
    following.set(reply, name);
    reply.raw.once("close", () => following.delete(reply));
    stay(callerOf(request), reply.raw, () => reply.raw.destroy());
    const signal = AbortSignal.any([goneSignal(reply.raw), draining, subject.revoked]);
    const lasting = { signal, heartbeatMs: limits.heartbeatMs, request: request.id };
    return send(reply, followed(audit, wish, lasting));
  });
  app.get("/api/v1/audit/verify", { config, schema: VERIFY }, async () => audit.verify());
}

function send(reply: FastifyReply, lines: AsyncIterable<string>): FastifyReply {
  const stream = Readable.from(lines, { objectMode: false });
  return reply.header("content-type", "application/x-ndjson").header("x-accel-buffering", "no").send(stream);
}

async function* records(audit: AuditDesk, { wanted, tail }: Wish): AsyncGenerator<string, void, void> {
  const until = audit.seq;
  const last: string[] = [];
  for await (const { text } of linesOf(await audit.files())) {
    const record = unseal(text);
    if (!record || record.seq > until || !wanted(record)) continue;
    if (tail === undefined) yield `${text}\n`;
    else if (last.push(`${text}\n`) > tail) last.shift();
  }
  yield* last;
}

interface Following {
  signal: AbortSignal;
  heartbeatMs: number;
  /** The id of the request that this answers. */
  request: string;
}

/** First what is in the files, then what was written since. */
async function* followed(audit: AuditDesk, wish: Wish, lasting: Following): AsyncGenerator<string> {
  const { signal, heartbeatMs, request } = lasting;
  const feed = new Feed(signal);
  const leave = audit.listen((text) => feed.push(text));
  try {
    yield* records(audit, wish);
    // Else who follows what nobody has done yet would not even know that he is let in.
    yield "\n";
    for await (const text of feed.read(heartbeatMs)) {
      const record = unseal(text.trimEnd());
      // A record that is not asked for is a sign of life too.
      yield record && wish.wanted(record) ? text : "\n";
    }
    // As at the end of every watch: why it ends.
    if (signal.reason instanceof FairleadError) yield `${JSON.stringify(problemOf(signal.reason, request))}\n`;
  } finally {
    leave();
  }
}

function filterOf({ since, subject, container }: AuditQuery): Wish["wanted"] {
  const from = since === undefined ? 0 : millisecondsOf(since);
  return (record) =>
    Date.parse(record.time) >= from &&
    (subject === undefined || record.subject === subject) &&
    (container === undefined || isOf(record, container));
}

/** By name, by the beginning of the id, or as the one who was refused has called it. */
function isOf({ container, containerName, reference }: AuditRecord, wanted: string): boolean {
  return containerName === wanted || reference === wanted || (container?.startsWith(wanted) ?? false);
}

function millisecondsOf(since: string): number {
  try {
    return Number(parseTime(since, Date.now())) * 1_000;
  } catch {
    throw new FairleadError("bad-request", "since: write 10m, 2024-05-01T10:00:00Z or Unix seconds.");
  }
}
