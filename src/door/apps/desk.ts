/** What the pages of containers need of the program that shows them: a session for each app, and connections that it pays for. */

import type { Duplex } from "node:stream";
import type { Subject } from "../../auth/grant.ts";
import type { Port } from "./addresses.ts";

/** Who opens an app, and where he came from. */
export interface AppVisit {
  subject: Subject;
  remote: {
    address: string;
    door: string;
    /** The id of the HTTP request by which he came. */
    request?: string;
  };
  /** Aborted when the browser does not wait for the answer any more. */
  signal: AbortSignal;
}

/** One app as one person opened it: authorised, and written down. */
export interface AppSession {
  /** Which container was found. */
  readonly container: { id: string; name: string } | undefined;
  /** Resolves when it is over, with the access behind it at the latest. Never rejects. */
  readonly ended: Promise<void>;
  /** A connection to the app, which ends with the session. Rejects with a FairleadError when there is none to be had. */
  connect(): Promise<Duplex>;
  /** Idempotent. */
  close(): void;
}

export interface AppDesk {
  /** Rejects with the refusal. */
  open(port: Port, visit: AppVisit): Promise<AppSession>;
}

/** How long a container may take to begin its answer to a browser, and to agree to a WebSocket, in milliseconds. */
export interface AppLimits {
  answerMs: number;
  upgradeMs: number;
}

export const APP_LIMITS: AppLimits = { answerMs: 120_000, upgradeMs: 10_000 };
