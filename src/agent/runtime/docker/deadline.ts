/** Work that must end in time, and at once when its caller gives up. */

import { giveUpAfter } from "../../../net/give-up.ts";

export interface Deadline {
  signal: AbortSignal;
  /** Milliseconds. */
  ms: number;
  /** Makes what it rejects with when the time is over; an error costs too much to have one ready for each dial. */
  late: () => Error;
}

/** The work's own signal covers both; rejects with `late` or the caller's reason even if the work does not listen. */
export async function withDeadline<T>(deadline: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { signal, ms, late } = deadline;
  signal.throwIfAborted();
  const cancel = new AbortController();
  const abort = () => cancel.abort(signal.reason);
  const callOff = giveUpAfter(ms, () => cancel.abort(late()));
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work(cancel.signal), rejectOnAbort(cancel.signal)]);
  } catch (error) {
    cancel.signal.throwIfAborted();
    throw error;
  } finally {
    callOff();
    signal.removeEventListener("abort", abort);
  }
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** What `work` gives, unless its caller gives up before that; the work itself goes on. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {});
  signal.throwIfAborted();
  const cancel = new AbortController();
  const abort = () => cancel.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, rejectOnAbort(cancel.signal)]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
