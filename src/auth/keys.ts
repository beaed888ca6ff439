/** Ed25519 keys: made on the host that uses them, and known elsewhere by their public half. */

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** Before the 32 bytes of an Ed25519 public key in a SubjectPublicKeyInfo (RFC 8410). */
const SPKI_HEAD = Buffer.from("302a300506032b6570032100", "hex");
/** Characters of a digest that tell keys apart. */
const ID_LENGTH = 22;

export interface SigningKey {
  readonly id: string;
  /** 32 bytes in base64url. */
  readonly publicKey: string;
  /** PKCS #8 in PEM. */
  readonly pem: string;
  /** 64 bytes in base64url. */
  sign(text: string): string;
}

export function newKey(): SigningKey {
  const { privateKey } = generateKeyPairSync("ed25519");
  return signingKey(privateKey.export({ type: "pkcs8", format: "pem" }).toString());
}

/** Throws for a text that is no Ed25519 key. */
export function signingKey(pem: string): SigningKey {
  const key = createPrivateKey(pem);
  if (key.asymmetricKeyType !== "ed25519") throw new Error("not an Ed25519 key");
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  const publicKey = spki.subarray(SPKI_HEAD.length).toString("base64url");
  return {
    id: keyId(publicKey),
    publicKey,
    pem,
    sign: (text) => sign(null, Buffer.from(text), key).toString("base64url"),
  };
}

/** By which a public key is named. */
export function keyId(publicKey: string): string {
  return createHash("sha256").update(publicKey).digest("base64url").slice(0, ID_LENGTH);
}

/** False for a key or a signature that is none. */
export function isSignedBy(publicKey: string, text: string, signature: string): boolean {
  return signatureCheck(publicKey)(text, signature);
}

export type SignatureCheck = (text: string, signature: string) => boolean;

/** The same for whoever looks at many signatures of one key: understanding it takes nearly as long as each of them. */
export function signatureCheck(publicKey: string): SignatureCheck {
  const key = publicKeyOf(publicKey);
  return (text, signature) =>
    key !== undefined && verify(null, Buffer.from(text), key, Buffer.from(signature, "base64url"));
}

function publicKeyOf(publicKey: string): KeyObject | undefined {
  try {
    const key = Buffer.concat([SPKI_HEAD, Buffer.from(publicKey, "base64url")]);
    return createPublicKey({ key, format: "der", type: "spki" });
  } catch {
    return undefined;
  }
}
