/** Passes: a server's word that the holder of a key may come to one agent directly; signed, short-lived, good once, over one connection. */

import { PassClaims, passProof } from "../protocol/pass.ts";
import type { Grant } from "../protocol/rights.ts";
import { signClaims } from "./jws.ts";
import { isSignedBy, type SigningKey } from "./keys.ts";
import { commonClaims, grantOf, type WordKind, WordReader, type WordReaderParts } from "./server-word.ts";

const PASS: WordKind<PassClaims> = {
  kind: "fairlead-pass",
  claims: PassClaims,
  words: "pass for this connection",
};

/** For whom, and where. */
export interface PassWish {
  /** The id of the node. */
  agent: string;
  /** Of the agent's certificate. */
  pin: string;
  grant: Grant;
  /** The client's public key. */
  key: string;
  /** Seconds. */
  offline: number;
}

export class PassSigner {
  readonly #key: Pick<SigningKey, "sign">;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(key: Pick<SigningKey, "sign">, now: () => number = Date.now) {
    this.#key = key;
    this.#now = now;
  }

  sign({ agent, pin, grant, key, offline }: PassWish): string {
    const claims: PassClaims = { ...commonClaims({ agent, grant }, this.#now()), key, pin, offline };
    return signClaims(PASS.kind, claims, this.#key);
  }
}

/** A pass that was found good. */
interface VerifiedPass {
  grant: Grant;
  /** Milliseconds. */
  offline: number;
}

interface PassVerifierParts extends WordReaderParts {
  /** Of this agent's certificate, as it is now. */
  pin: () => string | undefined;
}

export class PassVerifier {
  readonly #words: WordReader<PassClaims>;
  readonly #pin: () => string | undefined;

  constructor({ pin, ...parts }: PassVerifierParts) {
    this.#words = new WordReader(PASS, parts);
    this.#pin = pin;
  }

  /**
   * Uses the pass up. `shown` is the pass and its proof with a dot between, `binding` that of the connection on which it was
   * shown. Throws `bad-grant` unless it is the server's, for this agent, of now, unused, and shown by the holder of its key on
   * this very connection.
   */
  verify(shown: string, binding: string): VerifiedPass {
    const end = shown.lastIndexOf(".");
    const [pass, proof] = [shown.slice(0, end), shown.slice(end + 1)];
    const words = this.#words;
    const claims = words.read(pass);
    const { key, pin, offline } = claims;
    if (pin !== this.#pin()) throw words.refused("is for another certificate");
    // Before it is used up: whoever has only seen it cannot take it from its holder.
    if (!isSignedBy(key, passProof(pass, binding), proof))
      throw words.refused("was not shown by the holder of its key");
    words.useUp(claims);
    return { grant: grantOf(claims), offline: offline * 1_000 };
  }
}
