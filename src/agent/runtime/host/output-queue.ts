/** What a program of this machine writes, on its way to whoever asks for it; read ahead a little and no further. */

import type { Output, StreamName } from "../runtime.ts";

/** Bytes that may wait; beyond, nothing is read and the program has to. */
const READ_AHEAD = 65_536;
/** What a program that has ended left unread is there at once: silence for so many milliseconds proves that it was all. */
const SILENCE_MS = 200;

/** Where the bytes come from. */
export interface Source {
  pause(): void;
  resume(): void;
  /** Nothing more is wanted of it, whoever may still hold its other end. */
  destroy(): void;
}

export class OutputQueue {
  readonly #source: Source;
  #pieces: { stream: StreamName; bytes: Uint8Array }[] = [];
  #waiting = 0;
  #state: "flowing" | "paused" | "ended" = "flowing";
  /** The program has ended. */
  #last = false;
  #silence: NodeJS.Timeout | undefined;
  #wake: () => void = () => {};

  constructor(source: Source) {
    this.#source = source;
  }

  add(stream: StreamName, bytes: Uint8Array): void {
    this.#pieces.push({ stream, bytes });
    this.#waiting += bytes.length;
    if (this.#waiting >= READ_AHEAD && this.#state !== "ended") {
      this.#state = "paused";
      // Again each time: Node lets the streams of a child flow when that has ended.
      this.#source.pause();
    }
    if (this.#last) this.#listen();
    this.#wake();
  }

  /** The program has ended. What it left is still read; others that it started may hold its output open, and are not waited for. */
  programEnded(): void {
    this.#last = true;
    this.#listen();
  }

  /** Nothing more comes. */
  end(): void {
    this.#state = "ended";
    this.#listen();
    this.#wake();
  }

  /** Neighbouring pieces of one stream come as one. Read once. */
  async *read(): AsyncGenerator<Output, void, void> {
    for (;;) {
      const output = this.#take();
      if (output) yield output;
      else if (this.#state === "ended") return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }

  #take(): Output | undefined {
    const [first] = this.#pieces;
    if (!first) return undefined;
    const other = this.#pieces.findIndex(({ stream }) => stream !== first.stream);
    const taken = this.#pieces.splice(0, other < 0 ? this.#pieces.length : other);
    const bytes = taken.length === 1 ? first.bytes : Buffer.concat(taken.map((piece) => piece.bytes));
    this.#waiting -= bytes.length;
    if (this.#state === "paused" && this.#waiting < READ_AHEAD) {
      this.#state = "flowing";
      this.#source.resume();
      this.#listen();
    }
    return { stream: first.stream, bytes };
  }

  /** Silence counts only while somebody reads, and only after the sources had a turn to say what they have. */
  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
    if (!this.#last || this.#state !== "flowing") return;
    const silence = setTimeout(
      () => setImmediate(() => this.#silence === silence && this.#source.destroy()),
      SILENCE_MS,
    );
    this.#silence = silence;
  }
}
