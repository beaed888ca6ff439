/**
 * Requests that an agent signs with its key: HTTP Message Signatures (RFC 9421) in one fixed shape. What is covered: method,
 * path, query, the digest of the body, the host's epoch, the time, a nonce and the key's name.
 */

import { createHash, randomBytes } from "node:crypto";
import { FairleadError } from "../protocol/errors.ts";
import type { SigningKey } from "./keys.ts";
import { type SignatureCheck, signatureCheck } from "./keys.ts";

/** How far the clocks of both sides may be apart, in seconds. */
const MAX_SKEW = 60;
const NONCE_BYTES = 16;
/** A request that was signed with a clock that is ahead could be sent again for so long, in milliseconds. */
const MEMORY_MS = 2 * MAX_SKEW * 1_000;
/** Requests that one key may sign within that time; far more than an agent sends. */
const MAX_NONCES = 10_000;
const MAX_HEADER = 1_024;
const LABEL = "fairlead";
export const EPOCH_HEADER = "fairlead-epoch";
const COMPONENTS = `("@method" "@path" "@query" "content-digest" "${EPOCH_HEADER}")`;
const INPUT =
  /^fairlead=(\("@method" "@path" "@query" "content-digest" "fairlead-epoch"\);created=(\d{1,12});nonce="([A-Za-z0-9_-]{22})";keyid="([A-Za-z0-9._/-]{1,400})";alg="ed25519")$/;
const SIGNATURE = /^fairlead=:([A-Za-z0-9+/]{86}==):$/;
const DIGEST = /^sha-256=:[A-Za-z0-9+/]{43}=:$/;

export interface Message {
  method: string;
  /** Path and query, as on the request line. */
  target: string;
}

export interface Signer {
  /** Names host and key to the server. */
  keyName: string;
  key: Pick<SigningKey, "sign">;
  epoch: number;
}

/** The headers that go with a request. `now` in milliseconds since 1970. */
export function signatureHeaders(
  { method, target, body = "" }: Message & { body?: string },
  { keyName, key, epoch }: Signer,
  now: number = Date.now(),
): Record<string, string> {
  const nonce = randomBytes(NONCE_BYTES).toString("base64url");
  const parameters = `${COMPONENTS};created=${Math.floor(now / 1_000)};nonce="${nonce}";keyid="${keyName}";alg="ed25519"`;
  const digest = contentDigest(body);
  const signature = Buffer.from(
    key.sign(base({ method, target }, { digest, epoch: String(epoch), parameters })),
    "base64url",
  );
  return {
    "content-digest": digest,
    [EPOCH_HEADER]: String(epoch),
    "signature-input": `${LABEL}=${parameters}`,
    signature: `${LABEL}=:${signature.toString("base64")}:`,
  };
}

export function contentDigest(body: string): string {
  return `sha-256=:${createHash("sha256").update(body, "utf8").digest("base64")}:`;
}

export interface Claim {
  keyName: string;
  epoch: number;
  /** What the body's {@link contentDigest} must be. */
  digest: string;
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

interface Known {
  check: SignatureCheck;
  nonces: Set<string>;
}

/** Checks signatures, and remembers those that could be sent again. */
export class Signatures {
  /** Of each public key that has signed: since the last turn, and since the one before. */
  #seen = new Map<string, Known>();
  #before = new Map<string, Known>();
  /** When the last turn was, in milliseconds. */
  #turned: number;
  readonly #now: () => number;
  readonly #since: number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#turned = now();
    this.#since = Math.floor(now() / 1_000);
  }

  /** Who claims to have signed, without having looked whether it is true; `undefined` when nothing is signed. Throws `unauthenticated` for another shape. */
  claim(headers: Headers): Claim | undefined {
    if (headers["signature-input"] === undefined && headers["signature"] === undefined) return undefined;
    const { digest, epoch, keyName } = read(headers);
    return { keyName, epoch: Number(epoch), digest };
  }

  /** Throws `unauthenticated`, `clock-skew` or `replayed` unless this public key signed exactly this, now, for the first time. */
  verify(message: Message, headers: Headers, publicKey: string): void {
    const signed = read(headers);
    const { check } = this.#seen.get(publicKey) ?? this.#before.get(publicKey) ?? { check: signatureCheck(publicKey) };
    if (!check(base(message, signed), signed.signature)) throw wrong();
    this.#checkTime(signed.created);
    this.#remember(signed.nonce, { publicKey, check });
  }

  #checkTime(created: number): void {
    const ahead = created - Math.floor(this.#now() / 1_000);
    if (Math.abs(ahead) > MAX_SKEW)
      throw new FairleadError(
        "clock-skew",
        `The clock of this host is ${Math.abs(ahead)} s ${ahead > 0 ? "ahead of" : "behind"} the server's; ${MAX_SKEW} s are accepted. Synchronise both clocks.`,
      );
    // What came to an earlier server is remembered by nobody.
    if (created < this.#since - 1)
      throw new FairleadError("replayed", "The request is older than this server process; sign it again.");
  }

  #remember(nonce: string, { publicKey, check }: { publicKey: string; check: SignatureCheck }): void {
    this.#turn();
    const { nonces } = this.#seen.get(publicKey) ?? { nonces: new Set<string>() };
    if (nonces.has(nonce) || this.#before.get(publicKey)?.nonces.has(nonce))
      throw new FairleadError("replayed", "This request was received before; sign each one anew.");
    if (nonces.size >= MAX_NONCES) throw new FairleadError("too-many", "This key signs too many requests; slow down.");
    this.#seen.set(publicKey, { check, nonces: nonces.add(nonce) });
  }

  /** Forgets what is too old to be accepted again, and with it the keys that nobody uses any more. */
  #turn(): void {
    const now = this.#now();
    if (Math.abs(now - this.#turned) < MEMORY_MS) return;
    this.#before = this.#seen;
    this.#seen = new Map();
    this.#turned = now;
  }
}

interface Signed {
  digest: string;
  epoch: string;
  parameters: string;
  created: number;
  nonce: string;
  keyName: string;
  signature: string;
}

function read(headers: Headers): Signed {
  const input = INPUT.exec(only(headers["signature-input"]));
  const signature = SIGNATURE.exec(only(headers["signature"]))?.[1];
  const digest = only(headers["content-digest"]);
  const epoch = only(headers[EPOCH_HEADER]);
  if (!input || signature === undefined || !DIGEST.test(digest) || !/^\d{1,15}$/.test(epoch)) throw wrong();
  const [, parameters = "", created = "", nonce = "", keyName = ""] = input;
  return {
    digest,
    epoch,
    parameters,
    created: Number(created),
    nonce,
    keyName,
    signature: Buffer.from(signature, "base64").toString("base64url"),
  };
}

function only(value: string | string[] | undefined): string {
  return typeof value === "string" && value.length <= MAX_HEADER ? value : "";
}

/** What is signed (RFC 9421, 2.5). */
function base(
  { method, target }: Message,
  { digest, epoch, parameters }: Pick<Signed, "digest" | "epoch" | "parameters">,
): string {
  const [path = "", ...query] = target.split("?");
  return [
    `"@method": ${method}`,
    `"@path": ${path}`,
    `"@query": ?${query.join("?")}`,
    `"content-digest": ${digest}`,
    `"${EPOCH_HEADER}": ${epoch}`,
    `"@signature-params": ${parameters}`,
  ].join("\n");
}

function wrong(): FairleadError {
  return new FairleadError("unauthenticated", "The signature is missing, malformed or not of the key that it names.");
}
