/**
 * A pass: the server's word that the holder of a key may come to one agent directly, over one connection. What the server
 * is asked for it, what it says, and how its holder proves to be the one.
 */

import * as z from "zod/mini";
import { PublicKey } from "./fleet.ts";
import { DirectDoor } from "./node.ts";
import { Scope } from "./rights.ts";

/** Before the pass and its proof in the Authorization header: `Pass PASS.PROOF`. */
export const PASS_SCHEME = "Pass";
/** What both ends of a TLS 1.3 connection, and nobody else, derive from it (RFC 8446, section 7.5), and how many bytes of it. */
export const BINDING = { label: "EXPORTER-Fairlead-Pass", bytes: 32 } as const;

/** What is signed with the key of the pass. `binding` is that of the connection, in base64url. */
export function passProof(pass: string, binding: string): string {
  return `fairlead pass ${pass} ${binding}`;
}

/** The key that the pass is to be good for. */
export const PassRequest = z.strictObject({ key: PublicKey });

/** The pass, and where to go with it; or why there is no direct way. */
export const PassReply = z.union([z.extend(DirectDoor, { pass: z.string() }), z.object({ why: z.string() })]);
export type PassReply = z.infer<typeof PassReply>;

const name = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
const seconds = z.int().check(z.minimum(0));

/** Unknown claims are errors: a limit that is not understood must not be overlooked. */
export const PassClaims = z.strictObject({
  /** The id of the node that it is good for. */
  aud: name(128),
  /** Who asks, as the server knows him. */
  sub: name(256),
  /** Good once. */
  jti: name(64),
  /** Seconds since 1970. */
  iat: seconds,
  exp: seconds,
  /** Rights that the agent does not know are none. */
  rights: z.array(name(64)).check(z.maxLength(64)),
  scopes: z.array(Scope).check(z.maxLength(64)),
  /** Whose private half its holder has. */
  key: PublicKey,
  /** Of the agent's certificate. */
  pin: name(128),
  /** For how many seconds what was opened with it may go on while the agent hears nothing from the server. */
  offline: seconds,
});
export type PassClaims = z.infer<typeof PassClaims>;
