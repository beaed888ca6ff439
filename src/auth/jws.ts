/**
 * Signed claims: a JWS in its compact form (RFC 7515) with one header for each kind and no other. There is no algorithm to
 * choose, and what was signed as one kind is never taken for another.
 */

import { isSignedBy, type SigningKey } from "./keys.ts";

/** Longest token that is looked at, in characters. */
const MAX_TOKEN = 65_536;

/** Always Ed25519. */
export function signClaims(kind: string, claims: object, key: Pick<SigningKey, "sign">): string {
  const signed = `${headerOf(kind)}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
  return `${signed}.${key.sign(signed)}`;
}

/** The claims, of which nothing is known but who signed them; undefined unless this key did, as this kind. Throws for what is no JSON. */
export function signedClaims(kind: string, token: string, publicKey: string): unknown {
  const [header, payload = "", signature = "", ...more] = token.length > MAX_TOKEN ? [] : token.split(".");
  if (header !== headerOf(kind) || more.length > 0) return undefined;
  if (!isSignedBy(publicKey, `${header}.${payload}`, signature)) return undefined;
  return JSON.parse(Buffer.from(payload, "base64url").toString());
}

function headerOf(kind: string): string {
  return Buffer.from(JSON.stringify({ alg: "EdDSA", typ: kind })).toString("base64url");
}
