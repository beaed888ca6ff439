/** A way into one container's network, which stays open for further dials. */

import type { Duplex } from "node:stream";

export interface InsideOptions {
  /** Milliseconds for the whole dial, all addresses together. */
  timeout: number;
  /** Aborted when the caller has left: what may come nevertheless is still his to destroy. */
  signal: AbortSignal;
}

export interface Inside {
  /** Of no more use: another one has to be opened. */
  readonly ended: boolean;
  /**
   * The container's loopback, then its own addresses. Rejects with an error that has the system's code when none of them
   * answers, and with RuntimeError when the way itself is not to be had.
   */
  dial(port: number, options: InsideOptions): Promise<Duplex>;
  /** No more dials; idempotent. */
  close(): void;
}
