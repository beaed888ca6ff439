/** Those who come directly with the server's pass: let in, and put out when the server says so or was not heard of for too long. */

import type { Subject } from "../../auth/grant.ts";
import type { PassVerifier } from "../../auth/pass.ts";
import { WORD_MS } from "../../auth/server-word.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { nameHere } from "./server-subject.ts";
import type { Sessions } from "./sessions.ts";

export interface PassesParts {
  verifier: PassVerifier;
  sessions: Pick<Sessions, "withdraw">;
}

/** The connection on which a pass is shown. */
interface Bearer {
  /** What both its ends derive from it, in base64url. */
  binding: string;
  /** Aborts when it has ended. */
  over: AbortSignal;
}

/** Somebody who is in. */
interface Holder {
  /** As the server knows him. */
  name: string;
  /** For so many milliseconds he may stay while the agent hears nothing from the server. */
  offline: number;
  revocation: AbortController;
  limit?: NodeJS.Timeout;
}

export class Passes {
  readonly #parts: PassesParts;
  readonly #holders = new Set<Holder>();
  /** Whose passes are not taken any more, with when the last that he can have ends, on the clock of `performance`. */
  readonly #withdrawn = new Map<string, number>();
  #server: "connected" | "away" | "gone" = "away";

  constructor(parts: PassesParts) {
    this.#parts = parts;
  }

  /** Whose connections are open. */
  get names(): Set<string> {
    return new Set([...this.#holders].map(({ name }) => name));
  }

  /** Lets him in for as long as this connection lasts. Throws `bad-grant`, or `revoked`. */
  admit(shown: string, { binding, over }: Bearer): Subject {
    const { grant, offline } = this.#parts.verifier.verify(shown, binding);
    if (this.#server === "gone" || this.#isWithdrawn(grant.subject)) throw withdrawn();
    const holder: Holder = { name: grant.subject, offline, revocation: new AbortController() };
    this.#holders.add(holder);
    over.addEventListener("abort", () => this.#leave(holder), { once: true });
    if (this.#server === "away") this.#limit(holder);
    return { grant: { ...grant, subject: nameHere(grant.subject) }, revoked: holder.revocation.signal };
  }

  /** The server has withdrawn his access: his connections end, and passes that he may still have are good for nothing. */
  withdraw(name: string): void {
    this.#withdrawn.set(name, performance.now() + WORD_MS);
    this.#end(name);
  }

  /** How the line to the server stands; `gone`: the server knows this host no more, so nobody comes in its name. */
  heard(server: "connected" | "away" | "gone"): void {
    if (server === this.#server) return;
    this.#server = server;
    for (const holder of this.#holders) {
      clearTimeout(holder.limit);
      if (server === "away") this.#limit(holder);
      else if (server === "gone") this.#end(holder.name);
    }
  }

  #limit(holder: Holder): void {
    const { name, offline } = holder;
    holder.limit = setTimeout(() => this.#end(name), offline).unref();
  }

  /** With his connections end his sessions, also those that an earlier one of his has opened. */
  #end(name: string): void {
    for (const holder of this.#holders) if (holder.name === name) holder.revocation.abort(withdrawn());
    void this.#parts.sessions.withdraw(nameHere(name));
  }

  #leave(holder: Holder): void {
    clearTimeout(holder.limit);
    this.#holders.delete(holder);
  }

  #isWithdrawn(name: string): boolean {
    const now = performance.now();
    for (const [old, until] of this.#withdrawn) if (until < now) this.#withdrawn.delete(old);
    return this.#withdrawn.has(name);
  }
}

function withdrawn(): FairleadError {
  return new FairleadError("revoked", "Your access was withdrawn.");
}
