/** Who stays for longer than one answer: his page counts as used meanwhile, and he leaves when his access is withdrawn. */

import { FairleadError } from "../protocol/errors.ts";
import type { Identity } from "./identity.ts";

/** What he opened ends first and says why; then he is put out in any case, after so many milliseconds. */
const LAST_WORDS_MS = 1_000;

/** A connection or an answer, as far as this looks at it. */
export interface Guest {
  once(event: "close", listener: () => void): unknown;
}

/** Until the guest closes; `putOut` closes it. */
export function stay({ subject, page }: Identity, guest: Guest, putOut: () => void): void {
  const over = new AbortController();
  const release = page?.hold();
  guest.once("close", () => {
    over.abort();
    release?.();
  });
  const soon = () => void setTimeout(putOut, LAST_WORDS_MS).unref();
  subject.revoked.addEventListener("abort", soon, { once: true, signal: over.signal });
}

/** Aborts when the guest has its answer or has gone away. */
export function goneSignal(guest: Guest): AbortSignal {
  const gone = new AbortController();
  guest.once("close", () => gone.abort(new FairleadError("client-gone", "The client went away.")));
  return gone.signal;
}
