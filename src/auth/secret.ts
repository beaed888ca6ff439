/** Random secrets, and how they are kept and compared: as SHA-256 digests, in constant time. */

import { hash, randomBytes, timingSafeEqual } from "node:crypto";

const SECRET_BYTES = 32;

/** 256 random bits in base64url: 43 characters that are safe in a header and a WebSocket subprotocol. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

/** What is kept of a secret. A plain hash is enough because nothing kept this way can be guessed. */
export function digest(secret: string): Buffer {
  return hash("sha256", secret, "buffer");
}

/**
 * Under which a secret is found in a map. Looking it up tells by its time at most something about the digest, never about
 * the secret.
 */
export function keyOf(secret: string): string {
  return hash("sha256", secret, "base64");
}

/** Compares two digests in a time that does not depend on where they differ. */
export function sameDigest(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
