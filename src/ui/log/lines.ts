/** Puts the lines of a log together from the pieces in which its bytes arrive. */

export type LogStream = "stdout" | "stderr";

export interface Line {
  /** `note` is said by the page itself, e.g. about a gap. */
  from: LogStream | "note";
  /** RFC 3339 as the engine stamped it; empty where there is none. */
  time: string;
  text: string;
}

/** Characters kept of one line: more than anybody reads, little enough to lay out at once. */
export const MAX_LINE = 16_384;

type Partial = ReturnType<typeof fresh>;

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ?/;

export class LineAssembler {
  readonly #partial: Record<LogStream, Partial> = { stdout: fresh(), stderr: fresh() };

  /** The lines that these bytes complete. A character or line may be split anywhere; the two streams never mix. */
  push(from: LogStream, bytes: Uint8Array): Line[] {
    const partial = this.#partial[from];
    const [first = "", ...others] = partial.decoder.decode(bytes, { stream: true }).split("\n");
    const lines: Line[] = [];
    grow(partial, first);
    for (const piece of others) {
      lines.push(take(from, partial));
      grow(partial, piece);
    }
    return lines;
  }

  /** What is left at the end of the log. */
  flush(): Line[] {
    const lines: Line[] = [];
    for (const from of ["stdout", "stderr"] as const) {
      const partial = this.#partial[from];
      grow(partial, partial.decoder.decode());
      if (partial.text !== "") lines.push(take(from, partial));
    }
    return lines;
  }
}

/** `cut` counts the characters left out of a line longer than MAX_LINE. */
function fresh() {
  return { decoder: new TextDecoder(), text: "", cut: 0 };
}

function grow(partial: Partial, piece: string): void {
  const room = MAX_LINE - partial.text.length;
  partial.text += piece.length <= room ? piece : piece.slice(0, room);
  partial.cut += Math.max(0, piece.length - room);
}

function take(from: LogStream, partial: Partial): Line {
  const text = partial.text.endsWith("\r") ? partial.text.slice(0, -1) : partial.text;
  const time = STAMP.exec(text);
  const rest = time ? text.slice(time[0].length) : text;
  const line = { from, time: time?.[1] ?? "", text: partial.cut ? `${rest} … (${partial.cut} more characters)` : rest };
  partial.text = "";
  partial.cut = 0;
  return line;
}
