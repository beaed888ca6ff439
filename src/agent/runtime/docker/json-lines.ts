/** Streams of JSON values, a line each: the engine's events and figures. */

import { RuntimeError } from "../runtime.ts";

/** One value is shorter than this. */
const MAX_LINE = 1024 * 1024;

export interface JsonLine {
  value: unknown;
  /** As the engine wrote it: a JavaScript number has not all digits. */
  text: string;
}

/** Throws `engine-error` for what is none. */
export async function* jsonLines(body: AsyncIterable<Buffer>): AsyncGenerator<JsonLine, void, undefined> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > MAX_LINE) throw new RuntimeError("engine-error", "The engine's stream has an endless line.");
    for (const text of lines) if (text.trim() !== "") yield { value: parse(text), text };
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RuntimeError("engine-error", "The engine's stream is not JSON.", { cause });
  }
}
