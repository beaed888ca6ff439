/** The one way by which bytes of a stream go somewhere else: in order, and never far ahead of it. */

/** What a Node stream has. */
export interface Source {
  on(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  off(event: "data", listener: (chunk: Uint8Array) => void): unknown;
  once(event: "end" | "close", listener: () => void): unknown;
  once(event: "error", listener: (error: Error) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** Bytes read that are not taken; beyond, the source is paused. */
const READ_AHEAD = 262_144;
/** Bytes read in one turn of the event loop: else a socket with much to say is read for milliseconds while all others wait. */
const TURN = 131_072;

/** Node's own: nothing else has such streams. */
declare function setImmediate(run: () => void): unknown;

/**
 * Hands everything `source` gives to `send`, one call at a time; resolves at its end. Rejects when the source breaks
 * or `send` rejects; then nothing more is read.
 */
export function pump(source: Source, send: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    let ahead = 0;
    let turn = 0;
    /** By us: what somebody else has paused is his to resume. */
    let paused = false;
    let last: Promise<void> = Promise.resolve();
    const stop = (error: unknown) => {
      paused = false;
      source.off("data", take);
      source.pause();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const full = () => ahead > READ_AHEAD || turn >= TURN;
    const goOn = () => {
      if (!paused || full()) return;
      paused = false;
      source.resume();
    };
    const nextTurn = () => {
      turn = 0;
      goOn();
    };
    const take = (chunk: Uint8Array) => {
      if (turn === 0) setImmediate(nextTurn);
      ahead += chunk.length;
      turn += chunk.length;
      if (full()) {
        paused = true;
        source.pause();
      }
      const idle = ahead === chunk.length;
      // The first of a burst goes at once: a keystroke waits for no other turn.
      last = (idle ? send(chunk) : last.then(() => send(chunk))).then(() => {
        ahead -= chunk.length;
        goOn();
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
