/** One-time tokens by which a new host gets in: kept hashed, exchanged for a key that the host has made. */

import { keyOf, newSecret } from "../../auth/secret.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { Shelf } from "../store/shelf.ts";
import type { Storage } from "../store/storage.ts";
import { BootstrapRecord } from "./record.ts";

/** Starts each of them. Behind the secret, after a dot, comes the pin of the server's certificate. */
const PREFIX = "flb_";
const MAX_OUTSTANDING = 10_000;

export interface BootstrapTokenParts {
  storage: Storage;
  /** Milliseconds. */
  lifetime: number;
  /** `sha256:...`; absent where the server serves in the clear or with somebody else's certificate. */
  pin: () => string | undefined;
  now?: () => number;
}

export class BootstrapTokens {
  readonly #shelf: Shelf<BootstrapRecord>;
  readonly #parts: BootstrapTokenParts;
  readonly #now: () => number;

  constructor(parts: BootstrapTokenParts) {
    const mend = () => "Get a new token with: ctl nodes add NAME";
    this.#shelf = new Shelf(parts.storage, { name: "bootstrap", schema: BootstrapRecord, mend });
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
  }

  async issue({ node, uid }: { node: string; uid: string }): Promise<{ token: string; expires: number }> {
    await this.#makeRoom();
    const secret = PREFIX + newSecret();
    const expires = this.#now() + this.#parts.lifetime;
    await this.#shelf.create(idOf(secret), { node, uid, expires });
    const pin = this.#parts.pin();
    return { token: pin === undefined ? secret : `${secret}.${compact(pin)}`, expires };
  }

  /**
   * For which host it is; from now on it is of use to nobody but the holder of this key, who may have lost the answer.
   * Throws `unauthenticated` for one that is wrong, used or expired.
   */
  async redeem(token: string, publicKey: string): Promise<{ node: string; uid: string }> {
    const secret = token.split(".")[0] ?? "";
    const record = await this.#shelf.update(idOf(secret), (found) => {
      if (found.expires <= this.#now()) throw refused("has expired", found.node);
      if (found.usedBy !== undefined && found.usedBy !== publicKey) throw refused("was used already", found.node);
      return found.usedBy === undefined ? { ...found, usedBy: publicKey } : undefined;
    });
    if (!record) throw refused("is not known here", "NAME");
    return { node: record.node, uid: record.uid };
  }

  /** Withdraws those of a host. */
  async withdraw(uid: string): Promise<void> {
    for (const { id, document } of await this.#shelf.entries()) if (document.uid === uid) await this.#shelf.remove(id);
  }

  /** Expired ones are of no use and do no harm: they are looked for when there are many. */
  async #makeRoom(): Promise<void> {
    if ((await this.#shelf.count()) < MAX_OUTSTANDING) return;
    const all = await this.#shelf.entries();
    const over = all.filter(({ document }) => document.expires <= this.#now());
    await Promise.all(over.map(({ id }) => this.#shelf.remove(id)));
    if (all.length - over.length >= MAX_OUTSTANDING)
      throw new FairleadError("too-many", `${MAX_OUTSTANDING} hosts are being added; wait until some have come.`);
  }
}

/** Base64 has a slash, which separates names in the storage. */
function idOf(secret: string): string {
  return keyOf(secret).replaceAll("/", "_");
}

/** The pin's 32 bytes in base64url. */
function compact(pin: string): string {
  return Buffer.from(pin.replace(/^sha256:/, ""), "hex").toString("base64url");
}

function refused(what: string, node: string): FairleadError {
  return new FairleadError("unauthenticated", `The bootstrap token ${what}. Get a new one with: ctl nodes add ${node}`);
}
