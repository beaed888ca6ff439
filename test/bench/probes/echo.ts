/** How long one byte takes to come back. */

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import type { Running } from "../command.ts";

/** Longest wait for one byte, in milliseconds: anything longer is a fault, not a latency. */
const LIMIT = 10_000;

export interface Line {
  input: Writable;
  output: Readable;
}

export interface Strokes {
  count: number;
  /** Milliseconds between an answer and the next stroke; 0 strikes at once. */
  pause: number;
  /** Ends the strokes before their count is reached. */
  signal?: AbortSignal;
}

/** Round trips of one byte each, in microseconds. Rejects when an answer is late, longer than the question, or never comes. */
export async function roundTrips(line: Line, strokes: Strokes): Promise<number[]> {
  const times: number[] = [];
  while (times.length < strokes.count && !strokes.signal?.aborted) {
    times.push(await roundTrip(line));
    if (strokes.pause > 0) await delay(strokes.pause);
  }
  return times;
}

function roundTrip({ input, output }: Line): Promise<number> {
  return new Promise((resolve, reject) => {
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      output.off("data", answered).off("close", closed);
      outcome();
    };
    const answered = (bytes: Uint8Array) => {
      const time = (performance.now() - start) * 1000;
      settle(() => (bytes.length === 1 ? resolve(time) : reject(new Error(`one byte came back as ${bytes.length}`))));
    };
    const closed = () => settle(() => reject(new Error("the line closed before a byte came back")));
    const timer = setTimeout(() => settle(() => reject(new Error(`no byte came back in ${LIMIT} ms`))), LIMIT);
    output.on("data", answered).on("close", closed);
    const start = performance.now();
    input.write("x");
  });
}

/** The keyboard and the screen of a program. */
export function lineOf({ child }: Running): Line {
  return { input: child.stdin, output: child.stdout };
}

/** A connection to a local port. */
export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}
