/** Reads newline-delimited JSON from a stream of bytes, one value at a time. */

import { FairleadError } from "./errors.ts";

/** Longest line in characters: a list of several thousand containers, and an end to what a broken server can make us hold. */
const MAX_LINE = 16 * 1024 * 1024;

/** Blank lines are skipped, so that a server may send them as a sign of life. Throws `protocol-error` for anything that is not JSON. */
export async function* readNdjson(chunks: AsyncIterable<Uint8Array>): AsyncGenerator {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const [first = "", ...others] = decoder.decode(chunk, { stream: true }).split("\n");
    const lines = [rest + first, ...others];
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE) throw new FairleadError("protocol-error", "There came a line without an end.");
    for (const line of lines) if (line.trim() !== "") yield parse(line);
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new FairleadError("protocol-error", "There came something that is not JSON.", { cause });
  }
}
