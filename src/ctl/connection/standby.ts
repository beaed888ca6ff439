/** The way through the server while another is tried: dialled late, and let go of where it turns out not to be needed. */

import { CLOSE, type Dial, type Transport } from "../../client/client.ts";

export class Standby {
  readonly #dial: Dial;
  readonly #signal: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  #dialled: Promise<Transport> | undefined;

  constructor(dial: Dial, signal: AbortSignal) {
    this.#dial = dial;
    this.#signal = signal;
  }

  /** Unless it is taken or left before. */
  dialIn(ms: number): void {
    this.#timer = setTimeout(() => void this.take().catch(() => {}), ms);
  }

  take(): Promise<Transport> {
    clearTimeout(this.#timer);
    this.#dialled ??= this.#dial(this.#signal);
    return this.#dialled;
  }

  leave(): void {
    clearTimeout(this.#timer);
    this.#dialled?.then(
      (transport) => transport.close(CLOSE.normal, "not needed"),
      () => {},
    );
  }
}
