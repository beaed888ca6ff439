/** One container's pages as one person opened them in one browser: a session, and the connections that it needs. */

import type { AppLimits, AppSession } from "./desk.ts";
import { forwardedFor, type HeaderList } from "./headers.ts";
import { Pool } from "./pool.ts";
import { AppProxy } from "./proxy.ts";

/** Whatever happens in between, in milliseconds. */
const LIFETIME_MS = 24 * 3_600_000;

export interface AppParts {
  label: string;
  origin: string;
  /** The subject's name. */
  opener: string;
  port: number;
  session: AppSession;
  limits: AppLimits;
}

export class App {
  static readonly lifetimeMs = LIFETIME_MS;
  readonly label: string;
  readonly origin: string;
  readonly opener: string;
  readonly proxy: AppProxy;
  /** How its own origin is told to it. */
  readonly forwarded: Readonly<HeaderList>;
  /** Resolves once nobody is let in any more. */
  readonly ended: Promise<void>;
  readonly #session: AppSession;
  readonly #pool: Pool;
  readonly #guests = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;
  #leaving = false;

  constructor({ label, origin, opener, port, session, limits }: AppParts) {
    const { name = "", id = "" } = session.container ?? {};
    this.label = label;
    this.origin = origin;
    this.opener = opener;
    this.forwarded = forwardedFor(origin);
    this.#session = session;
    this.#pool = new Pool({ dial: () => session.connect(), answerMs: limits.answerMs });
    // An unnamed container calls itself by the beginning of its id.
    this.proxy = new AppProxy({ pool: this.#pool, origin, port, names: [name.toLowerCase(), id.slice(0, 12)], limits });
    this.#timer = setTimeout(() => this.close(), LIFETIME_MS).unref();
    this.ended = this.#watch();
  }

  /** Somebody is being served; `cut` ends that when the app ends. Call the result when it is over. */
  serve(cut: () => void): () => void {
    this.#guests.add(cut);
    return () => {
      this.#guests.delete(cut);
      if (this.#leaving && this.#guests.size === 0) this.close();
    };
  }

  /** Ends as soon as nobody is being served. */
  leave(): void {
    this.#leaving = true;
    if (this.#guests.size === 0) this.close();
  }

  /** Idempotent. */
  close(): void {
    this.#session.close();
  }

  async #watch(): Promise<void> {
    // Whoever was being served is cut: the session's end has no words for a browser.
    await this.#session.ended;
    clearTimeout(this.#timer);
    this.#pool.destroy();
    for (const cut of this.#guests) cut();
  }
}
