/** Every error a user can meet: its code, and the one table that maps codes to HTTP status, WebSocket close code and exit code. */

import * as z from "zod/mini";

interface Mapping {
  http: number;
  /** WebSocket close code: 4000 + the HTTP status where there is no registered one. */
  close: number;
  /** Exit code of `ctl`: 125 = Fairlead's own failure, 126/127 as every shell has it. */
  exit: number;
  title: string;
}

const TABLE = {
  "bad-request": { http: 400, close: 4400, exit: 2, title: "The request is not valid" },
  "protocol-error": { http: 400, close: 1002, exit: 125, title: "The other side broke the protocol" },
  unauthenticated: { http: 401, close: 4401, exit: 125, title: "Not signed in" },
  "not-found": { http: 404, close: 4404, exit: 125, title: "Not found" },
  ambiguous: { http: 409, close: 4409, exit: 125, title: "More than one container matches" },
  "not-running": { http: 409, close: 4409, exit: 125, title: "The container is not running" },
  conflict: { http: 409, close: 4409, exit: 125, title: "The present state does not allow that" },
  "own-container": { http: 403, close: 4403, exit: 125, title: "The agent runs in that container" },
  "session-gone": { http: 410, close: 4410, exit: 125, title: "The session has ended" },
  "stale-epoch": { http: 409, close: 4409, exit: 125, title: "The session was resumed elsewhere" },
  "wrong-host": { http: 421, close: 4421, exit: 125, title: "This server does not answer under that name" },
  "wrong-key": { http: 502, close: 4502, exit: 125, title: "The server has another key than the one that is known" },
  untrusted: { http: 502, close: 4502, exit: 125, title: "The server's certificate is not trusted" },
  "wrong-origin": { http: 403, close: 4403, exit: 125, title: "That web page may not call this server" },
  "too-many": { http: 429, close: 4429, exit: 125, title: "A limit is reached" },
  "too-large": { http: 413, close: 1009, exit: 2, title: "The request is too large" },
  revoked: { http: 401, close: 4401, exit: 125, title: "Access was withdrawn" },
  "clock-skew": { http: 401, close: 4401, exit: 125, title: "The clocks are too far apart" },
  replayed: { http: 401, close: 4401, exit: 125, title: "That request was sent before" },
  "unknown-node": { http: 404, close: 4404, exit: 125, title: "The server does not know this host" },
  "node-disabled": { http: 409, close: 4409, exit: 125, title: "The host is disabled" },
  "cloned-identity": { http: 409, close: 4409, exit: 125, title: "Another host has the same identity" },
  idle: { http: 408, close: 4408, exit: 125, title: "The session was idle too long" },
  "client-gone": { http: 499, close: 4499, exit: 125, title: "The client did not come back in time" },
  "container-stopped": { http: 409, close: 4409, exit: 125, title: "The container stopped" },
  "engine-unavailable": { http: 503, close: 4503, exit: 125, title: "The container engine does not answer" },
  "engine-error": { http: 502, close: 4502, exit: 125, title: "The container engine reported an error" },
  "dial-refused": { http: 502, close: 4502, exit: 125, title: "Nothing listens on that port" },
  "dial-failed": { http: 502, close: 4502, exit: 125, title: "The port could not be reached" },
  "no-answer": { http: 504, close: 4504, exit: 125, title: "The container did not answer in time" },
  "bad-answer": { http: 502, close: 4502, exit: 125, title: "The container's answer cannot be understood" },
  "command-not-found": { http: 422, close: 4422, exit: 127, title: "The command was not found in the container" },
  "command-not-executable": { http: 422, close: 4422, exit: 126, title: "The command cannot be executed" },
  "path-not-found": { http: 404, close: 4404, exit: 1, title: "There is no such path in the container" },
  "path-denied": { http: 403, close: 4403, exit: 1, title: "The engine may not use that path" },
  "not-a-directory": {
    http: 409,
    close: 4409,
    exit: 1,
    title: "A file is where a directory is needed, or the reverse",
  },
  "read-only": { http: 409, close: 4409, exit: 1, title: "Nothing can be written there" },
  "disk-full": { http: 507, close: 4507, exit: 1, title: "There is no room left" },
  unsupported: { http: 501, close: 4501, exit: 125, title: "Not supported here" },
  "audit-unavailable": { http: 503, close: 4503, exit: 125, title: "The audit log cannot be written" },
  "storage-unavailable": { http: 503, close: 4503, exit: 125, title: "The server's database cannot be used now" },
  "damaged-record": { http: 500, close: 4500, exit: 125, title: "A record in the server's database is damaged" },
  "shutting-down": { http: 503, close: 1001, exit: 125, title: "The agent is shutting down" },
  "bad-grant": { http: 403, close: 4403, exit: 125, title: "The agent does not accept the server's grant" },
  "agent-away": { http: 503, close: 4503, exit: 125, title: "The agent is not connected" },
  unreachable: { http: 502, close: 4502, exit: 125, title: "No connection" },
  internal: { http: 500, close: 1011, exit: 125, title: "An error inside Fairlead" },
} as const satisfies Record<string, Mapping>;

export type ErrorCode = keyof typeof TABLE;

export const ERRORS: Record<ErrorCode, Mapping> = TABLE;

/** RFC 9457 problem details, the body of every HTTP error and of every refused or broken session. */
export const Problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  /** The id of the request, by which the log and the audit tell more. */
  request: z.optional(z.string().check(z.maxLength(64))),
});
export type Problem = z.infer<typeof Problem>;

/**
 * An error with words for people; thrown inside, translated once at each edge. The words are whole sentences: what
 * happened, to what, and what to do. They begin with a capital, or with the name of a setting or what was given, and end
 * with a full stop, unless with something to type. `test/words.test.ts` holds that for every error of the program.
 */
export class FairleadError extends Error {
  override readonly name = "FairleadError";
  readonly code: ErrorCode;
  /** Of an error that came from elsewhere: the request that it was the answer to. */
  readonly request: string | undefined;
  constructor(code: ErrorCode, message: string, options: ErrorOptions & { request?: string | undefined } = {}) {
    super(message, options);
    this.code = code;
    this.request = options.request;
  }

  /** The same as data: what happened, to what, what to do. */
  problem(): Problem {
    const { title, http } = ERRORS[this.code];
    return { type: `urn:fairlead:${this.code}`, title, status: http, code: this.code, detail: this.message };
  }

  /** Understands a problem of a newer version too: an unknown code becomes `internal` with its words kept. */
  static from(problem: Problem): FairleadError {
    const known = Object.hasOwn(TABLE, problem.code) ? (problem.code as ErrorCode) : "internal";
    return new FairleadError(known, problem.detail, { request: problem.request });
  }
}

/** What server and agent say alike. */
export function disabled(node: string): FairleadError {
  const words = `The host ${node} is disabled: it takes no new sessions, and what is open goes on. An administrator takes it back with: ctl nodes enable ${node}`;
  return new FairleadError("node-disabled", words);
}
