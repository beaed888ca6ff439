/** What server and agent say about a session that comes through the server: its signed grant, and the header that a relay reads. */

import * as z from "zod/mini";
import { Scope } from "./rights.ts";

const name = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
const seconds = z.int().check(z.minimum(0));

/** What a relay reads of an OPEN's header; the rest is the agent's business, so that a new kind of session needs no new server. */
export const RelayedHeader = z.looseObject({
  op: name(32),
  node: name(253),
  container: z.optional(name(256)),
  session: z.optional(name(64)),
});
export type RelayedHeader = z.infer<typeof RelayedHeader>;

/**
 * The claims of a grant (RFC 7519 names where there are any). Unknown ones are errors: a limit that is not understood
 * must not be overlooked.
 */
export const GrantClaims = z.strictObject({
  /** The id of the node that it is good for. */
  aud: name(128),
  /** Who asks, as the server knows him. */
  sub: name(256),
  /** Good once. */
  jti: name(64),
  /** Seconds since 1970. */
  iat: seconds,
  exp: seconds,
  /** The session's id: of a new one chosen by the server, of a resume the one that goes on. */
  sid: name(64),
  /** Rights that the agent does not know are none. */
  rights: z.array(name(64)).check(z.maxLength(64)),
  scopes: z.array(Scope).check(z.maxLength(64)),
  /** The client's own header. */
  header: z.record(z.string(), z.unknown()),
  /** SHA-256 of the client's body, base64url. */
  body: name(43),
});
export type GrantClaims = z.infer<typeof GrantClaims>;

/** One TCP connection to the port of a `proxy` session that is open; its bytes are the channel's messages. The server's to ask for. */
export const ConnectBody = z.strictObject({ secret: name(128) });
export type ConnectBody = z.infer<typeof ConnectBody>;

/** Which of the subjects that came through the server hold sessions on an agent: the answer to `subjects`. */
export const HeldSubjects = z.object({ subjects: z.array(name(256)) });
export type HeldSubjects = z.infer<typeof HeldSubjects>;
