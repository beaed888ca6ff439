/** A certificate with its private key, and where such pairs come from. */

import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { pinOf } from "../../auth/pin.ts";

/** PEM texts; the certificate may be followed by the rest of its chain. */
export interface Pair {
  cert: string;
  key: string;
}

export interface Source {
  /** Names the pair in messages. */
  readonly name: string;
  /** Milliseconds between two looks. */
  readonly everyMs: number;
  /** What is to be served now. Rejects with words that tell what is wrong with it. */
  read(): Promise<Pair>;
}

export interface Facts {
  /** Of the public key: stays the same for every certificate of that key. */
  pin: string;
  /** Of the certificate, as browsers show it. */
  fingerprint: string;
  validTo: Date;
}

/** Throws, with words for people, unless a server can use the two together. */
export function factsOf({ cert, key }: Pair): Facts {
  const certificate = understood("the certificate is no PEM certificate", () => new X509Certificate(cert));
  const own = understood("the private key is no PEM key, or has a password", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(own)) throw new Error("the private key belongs to another certificate");
  understood("TLS cannot use it", () => createSecureContext({ cert, key, minVersion: "TLSv1.2" }));
  const { fingerprint256: fingerprint, validTo } = certificate;
  return { pin: pinOf(certificate), fingerprint, validTo: new Date(validTo) };
}

function understood<T>(words: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new Error(`${words} (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
}
