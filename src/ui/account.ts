/** Who is signed in on this page, and the page's calls to the agent or server: the secret goes along, every failure becomes words. */

import { type Signal, signal } from "@preact/signals";
import * as z from "zod/mini";
import { FairleadError, Problem } from "../protocol/errors.ts";
import { PAGE_SECRET_HEADER } from "../protocol/version.ts";
import { addressOf } from "./address.ts";

/** Of the origin, which the cookie is not: another port of the same host never sees it. Shared by this origin's tabs. */
const STORAGE_KEY = "fairlead.secret";
const SIGN_IN = "/api/v1/sign-in";
/** A one-time code is short; anything longer in the address is not one. */
const MAX_CODE = 128;

export type SignIn = { state: "in" } | { state: "out"; note?: string };

/** Whoever is signed in. */
export interface Person {
  /** May do everything, also to the server itself. */
  admin: boolean;
  /** Of an agent: the shell on its host. */
  shell?: HostShell;
  /** Of a fleet: whether he may have one on that host, where its agent gives any. */
  mayShell: (node: string) => boolean;
}

export interface HostShell {
  /** The host's name; of a fleet it is also where the shell is asked for. */
  name: string;
  node?: string;
  /** Whose it is. */
  user: string;
}

const Whoami = z.object({
  node: z.string(),
  rights: z.array(z.string()),
  scopes: z.array(z.unknown()),
  nodes: z.optional(z.array(z.string())),
  hostShell: z.optional(z.object({ user: z.string() })),
});

export class Account {
  readonly state: Signal<SignIn>;
  /** Unknown before {@link meet}. */
  readonly person = signal<Person | undefined>(undefined);
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.state = signal<SignIn>(this.#secret === null ? { state: "out" } : { state: "in" });
  }

  get #secret(): string | null {
    return this.#storage.getItem(STORAGE_KEY);
  }

  /** Trades the one-time code for a cookie and the page's secret. Rejects with words for people. */
  async signIn(code: string): Promise<void> {
    const response = await this.call(SIGN_IN, {
      method: "POST",
      body: JSON.stringify({ code: code.trim() }),
    });
    const { secret } = (await response.json()) as { secret?: unknown };
    if (typeof secret !== "string") throw new FairleadError("protocol-error", "The answer holds no secret.");
    this.#storage.setItem(STORAGE_KEY, secret);
    this.state.value = { state: "in" };
  }

  /** Forgets the secret here even when the agent cannot be told. */
  async signOut(): Promise<void> {
    try {
      await this.call("/api/v1/sign-out", { method: "POST" });
    } catch {
      // Without its secret the cookie that may be left opens nothing.
    }
    this.#forget("You are signed out.");
  }

  /** Another tab of this origin signed in or out, or was told that nobody is signed in any more. */
  follow(): void {
    const signedIn = this.#secret !== null;
    if (signedIn !== (this.state.peek().state === "in")) {
      this.state.value = signedIn
        ? { state: "in" }
        : { state: "out", note: "Your sign-in has ended in another tab. Use a new code." };
    }
  }

  /** Asks who is signed in. */
  async meet(): Promise<void> {
    const answer = await this.call("/api/v1/whoami");
    const { node, rights, scopes, nodes, hostShell } = Whoami.parse(await answer.json());
    // Whoever reaches some containers only has no right over a whole host.
    const whole = (right: string) => scopes.length === 0 && (rights.includes(right) || rights.includes("admin"));
    this.person.value = {
      admin: whole("admin") && nodes === undefined,
      mayShell: (host) => whole("host-shell") && (nodes === undefined || nodes.includes(host)),
      ...(hostShell && { shell: { name: node, ...hostShell } }),
    };
  }

  /** A single-use ticket for one WebSocket. */
  async ticket(abort: AbortSignal): Promise<string> {
    const response = await this.call("/api/v1/tickets", { method: "POST", signal: abort });
    const { ticket } = (await response.json()) as { ticket?: unknown };
    if (typeof ticket !== "string") throw new FairleadError("protocol-error", "The answer holds no ticket.");
    return ticket;
  }

  /** Rejects with a {@link FairleadError} for every answer but a good one; `unauthenticated` also ends the sign-in. */
  async call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    const secret = this.#secret;
    if (secret !== null) headers.set(PAGE_SECRET_HEADER, secret);
    if (init.body !== undefined) headers.set("content-type", "application/json");
    const response = await reach(path, { ...init, headers });
    if (response.ok) return response;
    const error = await refusal(response);
    // Of a host behind the server the words may be anything, the status is the server's.
    if (response.status !== 401 || error.code !== "unauthenticated" || path === SIGN_IN) throw error;
    if (secret !== null && secret === this.#secret) this.#forget("Your sign-in has ended. Use a new code.");
    throw new FairleadError("unauthenticated", "This page is no longer signed in.");
  }

  #forget(note: string): void {
    this.#storage.removeItem(STORAGE_KEY);
    this.person.value = undefined;
    this.state.value = { state: "out", note };
  }
}

/** The code of a link such as `/#code=1234` or `/#approve=1234`. It only fills a form in; nothing is ever done for it. */
export function codeOf(fragment: string, kind: "code" | "approve"): string | undefined {
  const code = new URLSearchParams(fragment.replace(/^#/, "")).get(kind) ?? undefined;
  return code !== undefined && code.length <= MAX_CODE ? code : undefined;
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(addressOf(path), { ...init, credentials: "same-origin", redirect: "error", cache: "no-store" });
  } catch (cause) {
    init.signal?.throwIfAborted();
    throw new FairleadError("unreachable", "The server does not answer.", { cause });
  }
}

async function refusal(response: Response): Promise<FairleadError> {
  const problem = Problem.safeParse(await response.json().catch(() => undefined));
  if (problem.success) return FairleadError.from(problem.data);
  return new FairleadError("internal", `The answer is ${response.status}, without saying why.`);
}
