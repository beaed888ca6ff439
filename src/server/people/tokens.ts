/** The tokens of people and programs: kept hashed in the storage, known to the door from there. */

import { randomBytes } from "node:crypto";
import * as z from "zod/mini";
import { digest, newSecret } from "../../auth/secret.ts";
import type { Tokens } from "../../auth/tokens.ts";
import { wait } from "../../lib/wait.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { TokenView } from "../../protocol/login.ts";
import { Shelf } from "../store/shelf.ts";
import type { Storage } from "../store/storage.ts";

/** All together; each is looked at for each request. */
const MAX_TOKENS = 1_000;
/** Starts each of them, so that people and scanners know one when they see it. */
const PREFIX = "flt_";
const UNIQUE_BYTES = 3;
/** How late, in milliseconds, a token ends whose time is over. */
const SWEEP_MS = 1_000;

const TokenRecord = z.extend(TokenView, { sha256: z.string() });
type TokenRecord = z.infer<typeof TokenRecord>;

export type TokenWish = Pick<TokenView, "name" | "rights" | "scopes" | "nodes" | "by"> & {
  lifetime?: number | undefined;
};

export class ApiTokens {
  readonly #shelf: Shelf<TokenRecord>;
  readonly #known: Tokens;
  /** Of those that end some day: when. */
  readonly #ends = new Map<string, number>();
  #count = 0;

  /** Every token that the storage has is known to `known` from now on. */
  static async open(storage: Storage, known: Tokens): Promise<ApiTokens> {
    const tokens = new ApiTokens(storage, known);
    for (const record of await tokens.#shelf.list()) tokens.#learn(record);
    tokens.#sweep();
    return tokens;
  }

  private constructor(storage: Storage, known: Tokens) {
    this.#shelf = new Shelf(storage, "token", TokenRecord);
    this.#known = known;
  }

  /** Whether nobody has one yet. */
  get none(): boolean {
    return this.#count === 0;
  }

  async list(): Promise<TokenView[]> {
    return (await this.#shelf.list()).map((record) => TokenView.parse(record));
  }

  /** Throws `conflict` when there is one of that name. The token itself is told this once. */
  async create({ lifetime, ...wish }: TokenWish): Promise<{ token: string; view: TokenView }> {
    if (this.#count >= MAX_TOKENS)
      throw new FairleadError("too-many", `There are ${MAX_TOKENS} tokens; withdraw one first (ctl tokens).`);
    const token = PREFIX + newSecret();
    const created = Date.now();
    const view: TokenView = { ...wish, created, ...(lifetime !== undefined && { expires: created + lifetime }) };
    const record = { ...view, sha256: digest(token).toString("hex") };
    if (!(await this.#shelf.create(wish.name, record)))
      throw new FairleadError(
        "conflict",
        `There is a token called ${wish.name}; choose another name, or withdraw that one.`,
      );
    this.#learn(record);
    return { token, view };
  }

  /** The same under a name that nobody has yet. */
  createUnique(wish: TokenWish): Promise<{ token: string; view: TokenView }> {
    return this.create({ ...wish, name: `${wish.name}-${randomBytes(UNIQUE_BYTES).toString("hex")}` });
  }

  /** Ends what was opened with it. Throws `not-found`. */
  async revoke(name: string): Promise<void> {
    if (!(await this.#shelf.take(name))) throw new FairleadError("not-found", `There is no token called ${name}.`);
    this.#forget(name);
  }

  /** Withdraws tokens when their time is over; resolves when the signal aborts. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await wait(SWEEP_MS, signal);
      this.#sweep();
    }
  }

  #sweep(): void {
    const now = Date.now();
    for (const [name, expires] of this.#ends) {
      if (expires > now) continue;
      this.#forget(name);
      void this.#shelf.remove(name);
    }
  }

  #learn({ name, rights, scopes, nodes, sha256, expires }: TokenRecord): void {
    this.#known.add({ grant: { subject: subjectOf(name), rights, scopes, ...(nodes && { nodes }) }, sha256 });
    if (expires !== undefined) this.#ends.set(name, expires);
    this.#count++;
  }

  #forget(name: string): void {
    this.#known.revoke(subjectOf(name));
    this.#ends.delete(name);
    this.#count--;
  }
}

function subjectOf(name: string): string {
  return `token:${name}`;
}
