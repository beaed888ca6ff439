/** Everything by which somebody can prove who he is, with one owner. */

import { Codes } from "./codes.ts";
import { Pages } from "./pages.ts";
import { Throttle } from "./throttle.ts";
import { Tickets } from "./tickets.ts";
import { type TokenGrant, Tokens } from "./tokens.ts";

export interface CredentialsOptions {
  /** The local random token and the configured ones. At least one: without any nobody could ever come in. */
  tokens: readonly TokenGrant[];
  /** For tests: in milliseconds, instead of the clock that nobody sets. */
  now?: () => number;
}

export class Credentials {
  readonly tokens: Tokens;
  readonly tickets: Tickets;
  readonly codes: Codes;
  readonly pages: Pages;
  readonly throttle: Throttle;

  constructor({ tokens, now }: CredentialsOptions) {
    if (tokens.length === 0) throw new Error("There is no token, so nobody could sign in; configure one.");
    this.tokens = new Tokens(tokens);
    this.tickets = new Tickets(now);
    this.codes = new Codes(now);
    this.pages = new Pages(now);
    this.throttle = new Throttle(now);
  }

  /** Whether somebody of this name may still come in. */
  knows(subject: string): boolean {
    return this.tokens.knows(subject) || this.pages.knows(subject);
  }

  /** Signs every page out. Idempotent. */
  close(): void {
    this.pages.closeAll();
  }
}
