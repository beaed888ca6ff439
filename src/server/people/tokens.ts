/** The tokens of people and programs: kept hashed in the storage, known to the door from there. */

import { randomBytes } from "node:crypto";
import * as z from "zod/mini";
import { digest, newSecret } from "../../auth/secret.ts";
import type { Tokens } from "../../auth/tokens.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { TokenView } from "../../protocol/login.ts";
import { Shelf } from "../store/shelf.ts";
import type { Storage } from "../store/storage.ts";
import type { Upkeep } from "../upkeep.ts";

/** All together; each is looked at for each request. */
const MAX_TOKENS = 1_000;
/** Starts each of them, so that people and scanners know one when they see it. */
const PREFIX = "flt_";
const UNIQUE_BYTES = 3;
/** How late, in milliseconds, a token ends whose time is over. */
const SWEEP_MS = 1_000;
/** Ends, as times. */
const NEVER = Number.POSITIVE_INFINITY;
const OVER = 0;

/** Strict: what this version does not know may be a limit of the token. */
const TokenRecord = z.strictObject({ ...TokenView.shape, sha256: z.string().check(z.regex(/^[0-9a-f]{64}$/)) });
type TokenRecord = z.infer<typeof TokenRecord>;

export type TokenWish = Pick<TokenView, "name" | "rights" | "scopes" | "nodes" | "by"> & {
  lifetime?: number | undefined;
};

export class ApiTokens {
  readonly #shelf: Shelf<TokenRecord>;
  readonly #known: Tokens;
  /** When each of them ends; one that has ended stays here until it is off the disk. */
  readonly #ends = new Map<string, number>();
  /** Nobody knows any more whose these were. */
  #damaged = 0;

  /** Every token that the storage has is known to `known` from now on. */
  static async open(storage: Storage, known: Tokens): Promise<ApiTokens> {
    const tokens = new ApiTokens(storage, known);
    for (const record of await tokens.#shelf.list()) tokens.#learnAgain(record);
    tokens.#damaged = (await tokens.#shelf.count()) - tokens.#ends.size;
    return tokens;
  }

  private constructor(storage: Storage, known: Tokens) {
    const mend = (name: string) => `Withdraw it (ctl tokens remove ${name}), or go back to a backup.`;
    this.#shelf = new Shelf(storage, { name: "token", schema: TokenRecord, nameIn: ({ name }) => name, mend });
    this.#known = known;
  }

  /** Whether nobody has one yet. */
  get none(): boolean {
    const now = Date.now();
    return this.#damaged === 0 && [...this.#ends.values()].every((end) => end <= now);
  }

  /** Without those that have ended and are not off the disk yet. */
  async list(): Promise<TokenView[]> {
    const now = Date.now();
    const records = await this.#shelf.list();
    return records.filter(({ name }) => (this.#ends.get(name) ?? NEVER) > now).map((record) => TokenView.parse(record));
  }

  /** Throws `conflict` when there is one of that name. The token itself is told this once. */
  async create({ lifetime, ...wish }: TokenWish): Promise<{ token: string; view: TokenView }> {
    if (this.#ends.size >= MAX_TOKENS)
      throw new FairleadError("too-many", `There are ${MAX_TOKENS} tokens; withdraw one first (ctl tokens).`);
    const token = PREFIX + newSecret();
    const created = Date.now();
    const view: TokenView = { ...wish, created, ...(lifetime !== undefined && { expires: created + lifetime }) };
    const record = { ...view, sha256: digest(token).toString("hex") };
    if (!(await this.#shelf.create(wish.name, record))) throw await this.#taken(wish.name);
    this.#learn(record);
    return { token, view };
  }

  /** Why there cannot be a new one of that name. Throws `damaged-record`. */
  async #taken(name: string): Promise<FairleadError> {
    await this.#shelf.get(name);
    return new FairleadError("conflict", `There is a token called ${name}; choose another name, or withdraw that one.`);
  }

  /** The same under a name that nobody has yet. */
  createUnique(wish: TokenWish): Promise<{ token: string; view: TokenView }> {
    return this.create({ ...wish, name: `${wish.name}-${randomBytes(UNIQUE_BYTES).toString("hex")}` });
  }

  /**
   * Ends what was opened with it, at once; resolves with why that is not on the disk yet, where it cannot be written. Throws
   * `not-found`.
   */
  async revoke(name: string): Promise<FairleadError | undefined> {
    this.#known.revoke(subjectOf(name));
    // From here on the sweep tries again what fails now.
    if (this.#ends.has(name)) this.#ends.set(name, OVER);
    try {
      if (await this.#remove(name)) return undefined;
    } catch (error) {
      if (error instanceof FairleadError && this.#ends.has(name)) return notWritten(name, error);
      throw error;
    }
    throw new FairleadError("not-found", `There is no token called ${name}.`);
  }

  /** Withdraws tokens when their time is over. */
  watch(upkeep: Upkeep): void {
    upkeep.every(SWEEP_MS, "taking tokens that have ended off the disk", () => this.#sweep());
  }

  async #sweep(): Promise<void> {
    const now = Date.now();
    const over = [...this.#ends].filter(([, end]) => end <= now).map(([name]) => name);
    for (const name of over) this.#known.revoke(subjectOf(name));
    await Promise.all(over.map((name) => this.#remove(name)));
  }

  /** Off the disk; whether it was there. */
  async #remove(name: string): Promise<boolean> {
    const end = this.#ends.get(name);
    const taken = await this.#shelf.take(name);
    // There may be a new one of that name by now.
    if (this.#ends.get(name) === end) this.#ends.delete(name);
    return taken !== undefined;
  }

  #learnAgain(record: TokenRecord): void {
    try {
      this.#learn(record);
    } catch (error) {
      this.#shelf.report(record.name, String(error));
    }
  }

  /** Throws when another one has the same secret. */
  #learn({ name, rights, scopes, nodes, sha256, expires = NEVER }: TokenRecord): void {
    const grant = { subject: subjectOf(name), rights, scopes, ...(nodes && { nodes }) };
    if (expires > Date.now()) this.#known.add({ grant, sha256 });
    this.#ends.set(name, expires);
  }
}

function subjectOf(name: string): string {
  return `token:${name}`;
}

/** The end of a token that was withdrawn. */
function notWritten(name: string, error: FairleadError): FairleadError {
  const words = `The token ${name} is good for nothing any more, but that is not on the disk yet, and a restart would bring it back.`;
  return new FairleadError(error.code, `${words} ${error.message}`, { cause: error });
}
