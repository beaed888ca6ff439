/** Where logs go: to a pipe as they are, to a terminal without what steers it; of several containers with a name in front of each line. */

import { styleText } from "node:util";
import type { Invocation } from "./invocation.ts";
import type { LogSink } from "./log-reader.ts";
import { Prefixer } from "./prefix.ts";
import { VisibleText } from "./visible-text.ts";

const COLOURS = ["cyan", "yellow", "green", "magenta", "blue", "red"] as const;
const STREAMS = ["stdout", "stderr"] as const;
const NOTHING = new Uint8Array(0);

type Stream = (typeof STREAMS)[number];
type Filter = Pick<VisibleText, "add" | "end">;

/** One for each of so many containers. `raw`: a terminal gets what a pipe gets. */
export function sinksFor(invocation: Invocation, { count, raw }: { count: number; raw: boolean }): NamedSink[] {
  const visible = (stream: Stream) =>
    raw || !invocation[stream].isTerminal ? [] : [new VisibleText({ colours: invocation.coloursOn(stream) })];
  // Of one alone no line is waited for.
  const prefix = (name: string, i: number) =>
    count === 1 ? [] : [new Prefixer(`${styled(`${name} |`, invocation.colours ? i : undefined)} `)];
  return Array.from(
    { length: count },
    (_, i) => new NamedSink(invocation, (stream, name) => [...visible(stream), ...prefix(name, i)]),
  );
}

export class NamedSink implements LogSink {
  readonly #invocation: Invocation;
  readonly #filtersFor: (stream: Stream, name: string) => Filter[];
  #filters: Record<Stream, Filter[]> = { stdout: [], stderr: [] };

  constructor(invocation: Invocation, filtersFor: (stream: Stream, name: string) => Filter[]) {
    this.#invocation = invocation;
    this.#filtersFor = filtersFor;
  }

  /** The name is known once the agent resolved the reference, before the first line. */
  name(name: string): void {
    for (const stream of STREAMS) this.#filters[stream] = this.#filtersFor(stream, name);
  }

  async write(stream: Stream, bytes: Uint8Array): Promise<void> {
    const out = this.#filters[stream].reduce((rest, filter) => filter.add(rest), bytes);
    if (out.length > 0) await this.#invocation[stream].write(out);
  }

  /** Idempotent. */
  async end(): Promise<void> {
    for (const stream of STREAMS) {
      const last = (rest: Uint8Array, filter: Filter) => Buffer.concat([filter.add(rest), filter.end()]);
      const out = this.#filters[stream].reduce(last, NOTHING);
      if (out.length > 0) await this.#invocation[stream].write(out);
    }
  }
}

function styled(words: string, number: number | undefined): string {
  const colour = number === undefined ? undefined : COLOURS[number % COLOURS.length];
  return colour ? styleText(colour, words, { validateStream: false }) : words;
}
