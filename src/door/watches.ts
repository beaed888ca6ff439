/** Answers that go on: each is a stream of lines, and there is a bound to how many there are. */

import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { checkShare, takenFrom } from "../auth/share.ts";
import type { FairleadError } from "../protocol/errors.ts";
import { callerOf } from "./door.ts";
import type { Limits } from "./options.ts";
import { goneSignal } from "./stay.ts";
import { watchLines } from "./watch-lines.ts";

const BUFFER = 65_536;
/** How long a reader may take to read why its watch ends; one that has stopped reading is cut. */
const LAST_LINE_MS = 2_000;

export interface WatchesParts {
  limits: Limits;
  draining: AbortSignal;
  /** Puts anything thrown into words for people. */
  understand: (error: unknown) => FairleadError;
}

export class Watches {
  readonly #parts: WatchesParts;
  /** Whose each is. */
  readonly #open = new Map<FastifyReply, string>();

  constructor(parts: WatchesParts) {
    this.#parts = parts;
  }

  /** Answers with each of the values until the reader goes, his access is withdrawn or the program ends. Throws `too-many`. */
  start(
    request: FastifyRequest,
    reply: FastifyReply,
    values: (signal: AbortSignal) => AsyncIterable<object>,
  ): FastifyReply {
    const { limits, draining, understand } = this.#parts;
    const { subject, page } = callerOf(request);
    const name = subject.grant.subject;
    const taken = takenFrom([...this.#open.values()], name);
    checkShare(limits.watches, taken, `At most ${limits.watches} lists are watched at a time`);
    const release = page?.hold();
    this.#open.set(reply, name);
    reply.raw.once("close", () => {
      this.#open.delete(reply);
      release?.();
    });
    const signal = AbortSignal.any([subject.revoked, draining, goneSignal(reply.raw)]);
    const cut = () => void setTimeout(() => reply.raw.destroy(), LAST_LINE_MS).unref();
    signal.addEventListener("abort", cut, { once: true });
    const lines = watchLines(values(signal), {
      heartbeatMs: limits.heartbeatMs,
      signal,
      understand,
      request: request.id,
    });
    const stream = Readable.from(lines, { objectMode: false, highWaterMark: BUFFER });
    return reply.header("content-type", "application/x-ndjson").header("x-accel-buffering", "no").send(stream);
  }
}
