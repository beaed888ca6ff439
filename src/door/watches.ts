/** Answers that go on: each is a stream of lines, and there is a bound to how many there are. */

import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { FairleadError } from "../protocol/errors.ts";
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
  readonly #open = new Set<FastifyReply>();

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
    if (this.#open.size >= limits.watches)
      throw new FairleadError("too-many", `${limits.watches} lists are being watched; close one first.`);
    const { subject, page } = callerOf(request);
    const release = page?.hold();
    this.#open.add(reply);
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
