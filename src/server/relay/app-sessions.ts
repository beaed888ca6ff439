/** How the server carries the pages of containers: each app by a session on its host, and each connection through the relay. */

import type { Duplex } from "node:stream";
import { DirectSession } from "../../client/direct.ts";
import type { Port } from "../../door/apps/addresses.ts";
import type { AppDesk, AppSession, AppVisit } from "../../door/apps/desk.ts";
import type { Budget } from "../../mux/budget.ts";
import type { Channel } from "../../mux/channel.ts";
import { type ErrorCode, FairleadError } from "../../protocol/errors.ts";
import type { OwnVisit, Reach, Relay } from "./relay.ts";

export interface AppSessionsParts {
  relay: Pick<Relay, "accept" | "dial">;
  budget: Budget;
}

/** Why a session may have ended that can be opened again: its host was away, or is about to be. */
const PASSING: ReadonlySet<ErrorCode> = new Set(["session-gone", "shutting-down"]);

export class AppSessions implements AppDesk {
  readonly #parts: AppSessionsParts;
  readonly #open = new Set<RelayedApp>();

  constructor(parts: AppSessionsParts) {
    this.#parts = parts;
  }

  async open(port: Port, { signal, ...visit }: AppVisit): Promise<AppSession> {
    const app = await RelayedApp.open({ ...this.#parts, ...visit, port }, signal);
    this.#open.add(app);
    void app.ended.then(() => this.#open.delete(app));
    return app;
  }

  /** Ends what is open on this host: it takes no work any more, and whoever clicks on a page asks for new work. */
  leave(node: string): void {
    for (const app of this.#open) if (app.node === node) app.close();
  }
}

type RelayedAppParts = AppSessionsParts & Omit<AppVisit, "signal"> & { port: Port };

/**
 * Lasts for as long as the access behind it, whatever becomes of the connection to its host; but never goes on at another
 * host that was given the name of its own.
 */
class RelayedApp implements AppSession {
  readonly node: string;
  readonly ended: Promise<void>;
  container: AppSession["container"];
  readonly #parts: RelayedAppParts;
  readonly #visit: OwnVisit;
  readonly #over = new AbortController();
  /** Of its host, once that was met. */
  #hostId: string | undefined;
  /** That there is, or will be in a moment. */
  #session: Promise<DirectSession> | undefined;

  static async open(parts: RelayedAppParts, signal: AbortSignal): Promise<RelayedApp> {
    const app = new RelayedApp(parts);
    try {
      const { opened } = await app.#live(signal);
      app.container = opened.container;
      return app;
    } catch (error) {
      app.close();
      throw error;
    }
  }

  private constructor(parts: RelayedAppParts) {
    const { revoked } = parts.subject;
    const { signal } = this.#over;
    this.#parts = parts;
    this.#visit = { subject: parts.subject, meet: (host) => this.#meet(host) };
    this.node = parts.port.node ?? "";
    this.ended = new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
    revoked.addEventListener("abort", () => this.close(), { once: true, signal });
    if (revoked.aborted) this.close();
  }

  async connect(): Promise<Duplex> {
    const { opened } = await this.#live(this.#over.signal);
    return this.#parts.relay.dial(this.#visit, this.node, opened);
  }

  close(): void {
    this.#over.abort(new FairleadError("session-gone", "This app is not open any more."));
  }

  /** Ends the app, and throws that it has, at any host but the first. */
  #meet({ id }: Reach): void {
    this.#hostId ??= id;
    if (this.#hostId !== id) this.close();
    this.#over.signal.throwIfAborted();
  }

  /** The session that there is, or one that is opened now. */
  #live(signal: AbortSignal): Promise<DirectSession> {
    this.#session ??= this.#begin(signal).catch((error: unknown) => {
      this.#session = undefined;
      throw error;
    });
    return this.#session;
  }

  async #begin(signal: AbortSignal): Promise<DirectSession> {
    const { relay, budget, remote, port } = this.#parts;
    const header = { op: "proxy", node: this.node, container: port.container, onDrop: "kill" } as const;
    const accept = (channel: Channel) => relay.accept(channel, this.#visit, remote);
    const session = await DirectSession.open({ header, body: { port: port.port } }, { budget, accept }, signal);
    void this.#watch(session);
    return session;
  }

  /** Until it is over. */
  async #watch(session: DirectSession): Promise<void> {
    const over = this.#over.signal;
    const close = () => session.close();
    over.addEventListener("abort", close, { once: true });
    if (over.aborted) close();
    try {
      for await (const _ of session.packets());
    } catch (error) {
      if (!(error instanceof FairleadError && PASSING.has(error.code))) this.close();
    } finally {
      over.removeEventListener("abort", close);
    }
    this.#session = undefined;
  }
}
