/** The tokens that the server knows, as the page asks for them. */

import { signal } from "@preact/signals";
import * as z from "zod/mini";
import { TokenList, type TokenRequest, type TokenView } from "../../protocol/login.ts";
import type { Account } from "../account.ts";
import { failure } from "../failure.ts";

const PATH = "/api/v1/tokens";
const Added = z.object({ token: z.string() });

export class Tokens {
  /** Unknown before {@link load}. */
  readonly list = signal<readonly TokenView[] | undefined>(undefined);
  /** Why the last question or withdrawal failed. */
  readonly problem = signal<string | undefined>(undefined);
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
  }

  /** Never rejects. */
  load(): Promise<void> {
    return this.#attempt(async () => {
      const answer = await this.#account.call(PATH);
      this.list.value = TokenList.parse(await answer.json()).tokens;
    });
  }

  /** Never rejects. */
  withdraw({ name }: TokenView): Promise<void> {
    return this.#attempt(async () => {
      await this.#account.call(`${PATH}/${encodeURIComponent(name)}`, { method: "DELETE" });
      await this.load();
    });
  }

  /** The token itself, which nobody can be shown again. Rejects with words for people. */
  async add(wish: TokenRequest): Promise<string> {
    const answer = await this.#account.call(PATH, { method: "POST", body: JSON.stringify(wish) });
    const { token } = Added.parse(await answer.json());
    await this.load();
    return token;
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.problem.value = undefined;
    try {
      await work();
    } catch (thrown) {
      this.problem.value = failure(thrown).message;
    }
  }
}
