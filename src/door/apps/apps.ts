/** Every app that is open, and how one is opened: an invitation becomes a session, and the session a cookie. */

import { keyOf, newSecret } from "../../auth/secret.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Addresses, AppHost } from "./addresses.ts";
import type { App } from "./app.ts";
import { appCookie } from "./cookie.ts";
import type { AppDesk, AppLimits, AppVisit } from "./desk.ts";
import { type Invitation, Invitations } from "./invitations.ts";
import { Labels } from "./labels.ts";

/** Where an invitation is taken, on the app's own origin: no app has pages below it. */
export const OPEN_PATH = "/.fairlead/open";
/** Of one subject. Most of so many are orphans: a browser that opens an app again forgets the cookie it had. */
const MAX_OPEN = 256;
const WRONG = "That link was used, is older than 30 seconds, or is for another address.";

export interface AppsParts {
  desk: AppDesk;
  addresses: Addresses;
  limits: AppLimits;
}

export class Apps {
  readonly #parts: AppsParts;
  readonly #invitations = new Invitations();
  /** By the digest of the cookie. */
  readonly #open = new Map<string, App>();
  readonly #labels = new Labels();

  constructor(parts: AppsParts) {
    this.#parts = parts;
  }

  /** The address that opens the app, once and within 30 s. Throws `unsupported` where nobody could come to it. */
  invite(wanted: Omit<Invitation, "origin">, from: { host: string; origin: string | undefined }) {
    const origin = this.#parts.addresses.originFor(wanted, from);
    const { code, expires } = this.#invitations.issue({ ...wanted, origin });
    this.#labels.remember(this.#parts.addresses.labelOf(wanted));
    return { url: `${origin}${OPEN_PATH}?code=${code}`, expires };
  }

  /** Whether this host is one that we have given to an app. */
  knows(host: AppHost): boolean {
    return this.#labels.has(host.label);
  }

  /** The app that this cookie opens on this host. */
  find(cookie: string | undefined, { label, origin }: AppHost): App | undefined {
    const app = cookie === undefined ? undefined : this.#open.get(keyOf(cookie));
    return app?.label === label && app.origin === origin ? app : undefined;
  }

  /** The cookie, for the browser that came with the code. Throws what is wrong with the code, or what the desk refuses with. */
  async redeem(code: string, host: AppHost, visit: Omit<AppVisit, "subject">): Promise<string> {
    const invitation = this.#invitations.redeem(code, host.origin);
    if (!invitation) throw new FairleadError("unauthenticated", WRONG);
    const { identity } = invitation;
    // Some 30 MB, which the program does without until the first app is opened.
    const { App } = await import("./app.ts");
    const session = await this.#parts.desk.open(invitation, { ...visit, subject: identity.subject });
    const opener = identity.subject.grant.subject;
    const app = new App({ ...this.#parts, ...host, opener, port: invitation.port, session });
    const cookie = newSecret();
    this.#open.set(keyOf(cookie), app);
    const releases = [this.#labels.hold(host.label), identity.page?.hold()];
    void app.ended.then(() => {
      this.#open.delete(keyOf(cookie));
      for (const release of releases) release?.();
    });
    this.#bound(opener);
    return appCookie(cookie, { origin: host.origin, lifetimeMs: App.lifetimeMs });
  }

  /** Lets those finish that are being served. */
  drain(): void {
    for (const app of this.#open.values()) app.leave();
  }

  close(): void {
    for (const app of this.#open.values()) app.close();
  }

  /** The newest stay. */
  #bound(opener: string): void {
    const own = [...this.#open.values()].filter((app) => app.opener === opener);
    for (const app of own.slice(0, -MAX_OPEN)) app.close();
  }
}
