/** The door for curl: a container's log as plain text, for as long as the client listens. */

import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { wait } from "../../../lib/wait.ts";
import { FairleadError } from "../../../protocol/errors.ts";
import type { LogsBody } from "../../../protocol/open.ts";
import type { Packet } from "../../../protocol/packet.ts";
import { isSet, LogsQuery } from "../../../protocol/query.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { ContainerParams, timeOf } from "../input.ts";
import { goneSignal, stay } from "../../../door/stay.ts";
import { type Desk, visitOf } from "../visit.ts";

/** So long the first line is waited for, in milliseconds: until then a log that cannot be read is a refusal with words. */
const FIRST_LINE_MS = 250;

const TYPE = { "content-type": "text/plain; charset=utf-8", "x-accel-buffering": "no" } as const;

const schema = {
  summary: "A container's log, as the container wrote it.",
  description: "An answer that was ended for another reason than the log's end is cut without its last chunk.",
  params: ContainerParams,
  querystring: LogsQuery,
  problems: ["ambiguous", "too-many", "unsupported", "engine-unavailable", "engine-error"],
  response: { 200: { description: "The log.", content: { "text/plain": { schema: z.string() } } } },
} as const;

export function addLogs(app: App, desk: Desk): void {
  app.get("/api/v1/containers/:ref/logs", { config: { access: "logs" }, schema }, async (request, reply) => {
    checkVersion(request);
    const { ref } = request.params;
    const body = bodyOf(request.query);
    const gone = goneSignal(reply.raw);
    const header = { op: "logs", container: ref, onDrop: "kill" } as const;
    const session = await desk.sessions.open({ header, body }, visitOf(request, desk, gone));
    gone.addEventListener("abort", () => session.close(), { once: true });
    const packets = session.packets();
    const first = packets.next();
    await Promise.race([first, wait(FIRST_LINE_MS, gone)]);
    stay(callerOf(request), reply.raw, () => reply.raw.destroy());
    return await answer(reply, { first, packets });
  });
}

interface Reading {
  first: Promise<IteratorResult<Packet, void>>;
  packets: AsyncIterator<Packet, void>;
}

/** Nothing more is read before the client took what there is. An end that is not the log's own cuts the connection. */
async function answer(reply: FastifyReply, { first, packets }: Reading): Promise<FastifyReply> {
  const { raw } = reply.headers(TYPE).hijack();
  // A quiet log is no stalled answer.
  raw.socket?.setTimeout(0);
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  raw.flushHeaders();
  try {
    for (let next = await first; !next.done; next = await packets.next()) await write(raw, textOf(next.value));
    raw.end();
  } catch {
    raw.destroy();
  }
  return reply;
}

function write(raw: ServerResponse, bytes: Uint8Array | string): Promise<void> {
  if (bytes.length === 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    raw.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
}

function textOf(packet: Packet): Uint8Array | string {
  if (packet.type === "stdout" || packet.type === "stderr") return packet.bytes;
  return packet.type === "gap" ? `[fairlead: something is missing here: ${packet.gap.why}]\n` : "";
}

/** Before HTTP/1.1 an answer of unknown length ends when the connection does, and a log that breaks off would look complete. */
function checkVersion({ raw }: FastifyRequest): void {
  if (raw.httpVersionMajor === 1 && raw.httpVersionMinor === 0)
    throw new FairleadError("unsupported", "A log needs HTTP/1.1; of a proxy in front, set the version it speaks.");
}

/** Both streams, unless only one is asked for or one is excluded. */
function bodyOf({ follow, timestamps, stdout, stderr, tail, since, until }: LogsQuery): LogsBody {
  const wanted = {
    stdout: stdout === undefined ? !isSet(stderr) : isSet(stdout),
    stderr: stderr === undefined ? !isSet(stdout) : isSet(stderr),
  };
  if (!wanted.stdout && !wanted.stderr) throw new FairleadError("bad-request", "Ask for stdout, stderr or both.");
  return {
    follow: isSet(follow),
    timestamps: isSet(timestamps),
    ...wanted,
    ...(tail !== undefined && tail !== "all" && { tail: Number(tail) }),
    ...(since !== undefined && { since: timeOf("since", since) }),
    ...(until !== undefined && { until: timeOf("until", until) }),
  };
}
