/** What a process writes, piece by piece; the process is stopped by the kernel while nobody asks for the next piece. */

import type { Output } from "../runtime.ts";
import { Demux } from "./demux.ts";
import type { Wire } from "./wire.ts";

export interface OutputOptions {
  /** A terminal has one stream and no frames. */
  tty: boolean;
  /** Called once: with nothing after the last byte was taken or the reader left, with what broke the stream otherwise. */
  ended: (error: unknown) => void;
}

/** Never throws: how the process ended, and whether anything is missing, is told by its exit status. */
export async function* processOutput(wire: Wire, { tty, ended }: OutputOptions): AsyncGenerator<Output> {
  let failure: unknown;
  try {
    if (tty) for await (const bytes of wire.body()) yield { stream: "stdout", bytes };
    else yield* framedOutput(wire);
  } catch (error) {
    failure = error;
  } finally {
    ended(failure);
  }
}

async function* framedOutput(wire: Wire): AsyncGenerator<Output> {
  let pieces: Output[] = [];
  const demux = new Demux((stream, bytes) =>
    addPiece(pieces, { stream: stream === "stdout" ? stream : "stderr", bytes }),
  );
  for await (const chunk of wire.body()) {
    pieces = [];
    demux.push(chunk);
    for (const piece of pieces) yield piece;
  }
  demux.end();
}

/**
 * Neighbouring pieces of one stream become one: all are views into one chunk that is ours, and each moves down over the
 * header between it and the last. A copy costs less than a packet of its own.
 */
function addPiece(pieces: Output[], piece: Output & { bytes: Buffer }): void {
  const last = pieces.at(-1);
  if (!last || last.stream !== piece.stream) {
    pieces.push(piece);
    return;
  }
  const { buffer, byteOffset, length } = last.bytes;
  const merged = new Uint8Array(buffer, byteOffset, length + piece.bytes.length);
  merged.set(piece.bytes, length);
  last.bytes = merged;
}
