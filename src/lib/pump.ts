/** The one way by which bytes of a stream go somewhere else: in order, and never far ahead of it. */

/** What a Node stream has. */
export interface Source {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  off(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  once(event: "end" | "close", listener: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
  isPaused(): boolean;
}

/** Bytes read that are not taken; beyond, the source is paused. */
const READ_AHEAD = 262_144;

/**
 * Hands everything `source` gives to `send`, one call at a time; resolves at its end. Rejects when the source breaks
 * or `send` rejects; then nothing more is read.
 */
export function pump(source: Source, send: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let ahead = 0;
    let last: Promise<void> = Promise.resolve();
    const stop = (error: unknown) => {
      source.off("data", take);
      source.pause();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const take = (chunk: Uint8Array) => {
      ahead += chunk.length;
      if (ahead > READ_AHEAD) source.pause();
      const idle = ahead === chunk.length;
      // The first of a burst goes at once: a keystroke waits for no other turn.
      last = (idle ? send(chunk) : last.then(() => send(chunk))).then(() => {
        ahead -= chunk.length;
        if (ahead <= READ_AHEAD && source.isPaused()) source.resume();
      });
      last.catch(stop);
    };
    source.on("data", take);
    const finish = () => void last.then(resolve, reject);
    source.once("end", finish);
    source.once("error", stop);
    source.once("close", finish);
  });
}
