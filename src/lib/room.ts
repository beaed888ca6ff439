/** Waiting for a stream to take what it is given. */

interface Sink {
  readonly destroyed: boolean;
  readonly writable: boolean;
  write(bytes: Uint8Array, done: () => void): unknown;
  once(event: "drain" | "close", listener: () => void): unknown;
  off(event: "drain" | "close", listener: () => void): unknown;
}

/** Resolves when there is room again, or never will be: a stream that is over says why elsewhere. */
export function roomIn(sink: Sink): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      sink.off("drain", done);
      sink.off("close", done);
      resolve();
    };
    sink.once("drain", done);
    sink.once("close", done);
  });
}

/** Writes; resolves when the stream holds these bytes no more: they have gone, or nobody takes them. One call at a time. */
export function writeOut(sink: Sink, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      sink.off("close", done);
      resolve();
    };
    if (sink.destroyed || !sink.writable) return resolve();
    sink.once("close", done);
    sink.write(bytes, done);
  });
}
