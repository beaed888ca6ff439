/** What a copy is compared by, of the two kinds that a client may ask for. */

import { createCipheriv, createHash } from "node:crypto";

/** Of AES-GCM, in bytes: zeros, for a key that is used once. */
const NONCE = 12;

export interface CopyHash {
  add(bytes: Uint8Array): void;
  /** In hexadecimal digits; once, last. */
  end(): { sha256: string } | { gmac: string };
}

export function sha256Of(): CopyHash {
  const hash = createHash("sha256");
  return { add: (bytes) => void hash.update(bytes), end: () => ({ sha256: hash.digest("hex") }) };
}

/** AES-128-GMAC (NIST SP 800-38D) under a key of 32 hexadecimal digits. */
export function gmacOf(key: string): CopyHash {
  const cipher = createCipheriv("aes-128-gcm", Buffer.from(key, "hex"), Buffer.alloc(NONCE));
  return {
    add: (bytes) => void cipher.setAAD(bytes),
    end: () => {
      cipher.final();
      return { gmac: cipher.getAuthTag().toString("hex") };
    },
  };
}
