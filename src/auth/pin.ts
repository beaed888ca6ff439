/** The pin of a certificate: by it a key is known again in every certificate that it comes in. */

import { createHash, type X509Certificate } from "node:crypto";

/** SHA-256 of the public key as X.509 writes it. */
export function pinOf({ publicKey }: X509Certificate): string {
  const spki = publicKey.export({ type: "spki", format: "der" });
  return `sha256:${createHash("sha256").update(spki).digest("hex")}`;
}
