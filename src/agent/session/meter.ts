/** What the desk tells whoever counts: when sessions are authorised, begin, go on and end, and which are refused. */

import type { Session } from "./session.ts";

/** Nothing is told for each packet: what a session has moved stands in the session. */
export interface Meter {
  /** A session was authorised. */
  opened(session: Session): void;
  /** Its client was told that it is on, so many seconds after it had asked; a connection of a forward has this alone. */
  began(kind: string, seconds: number): void;
  resumed(kind: string): void;
  /** `reason`: `success`, `failure` for any other exit status, `unknown` for none, or an error's code. */
  ended(kind: string, reason: string): void;
  /** `kind` is the operation that was asked for, or `unknown`; `code` the error's. */
  refused(kind: string, code: string): void;
}
