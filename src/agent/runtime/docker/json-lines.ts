/** Streams of JSON values, a line each: the engine's events and figures. */

import { jsonOf } from "../../../lib/json.ts";

/** One value is shorter than this. */
const MAX_LINE = 1024 * 1024;
/** Characters that are kept of each end of a line that is too long. */
const END = 1024;

export interface JsonLine {
  /** Undefined for a line that is too long, or no JSON. */
  value: unknown;
  /** As the engine wrote it: a JavaScript number has not all digits. Of a line that is too long its two ends. */
  text: string;
}

export async function* jsonLines(body: AsyncIterable<Buffer>): AsyncGenerator<JsonLine, void, undefined> {
  let rest = "";
  let cut = false;
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    // Only what has come is looked through: a long line comes in many pieces.
    const [end = "", ...lines] = decoder.decode(bytes, { stream: true }).split("\n");
    lines.unshift(rest + end);
    rest = lines.pop() ?? "";
    for (const text of lines) {
      if (cut) yield { value: undefined, text: ends(text) };
      else if (text.trim() !== "") yield { value: jsonOf(text), text };
      cut = false;
    }
    cut ||= rest.length > MAX_LINE;
    if (cut) rest = ends(rest);
  }
}

function ends(text: string): string {
  return text.length > 2 * END ? text.slice(0, END) + text.slice(-END) : text;
}
