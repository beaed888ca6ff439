/** Where a container's pages are met: an origin of their own, so that they share neither storage nor cookies with anything else. */

import { createHash } from "node:crypto";
import { FairleadError } from "../../protocol/errors.ts";
import { isLoopback } from "../address.ts";
import { appCookieName } from "./cookie.ts";

/** A label of a host name has at most 63 characters (RFC 1035): this, the port, the digits below, and two hyphens. */
const MAX_SLUG = 32;
/** Hexadecimal digits that tell apart what looks alike: so many that nobody finds a name with the digits of another's. */
const HASH = 24;
const LABELLED = /^([a-z0-9][a-z0-9-]{0,62})\.(.+)$/;
/** Characters of a host name (RFC 1035) with its port. */
const MAX_HOST = 259;
/** Hosts that need not be taken apart again: the same few come with every request. */
const MAX_PARSED = 1_024;
/** Every name below it is this machine itself (RFC 6761). */
const LOCAL = "localhost";

/** One port of one container. Whatever container has the name is meant: its successor goes on in its place. */
export interface Port {
  /** On which host it is, where there are several. */
  node?: string;
  container: string;
  port: number;
}

/** A host name that has the form of an app's. */
export interface AppHost {
  label: string;
  /** What a browser that goes there names as `Origin`. */
  origin: string;
  /** Under which cookie that browser keeps its access. */
  cookieName: string;
}

export interface AddressParts {
  /** Whose addresses they are: another program on this machine has others for the same container. */
  program: string;
  /** This program itself serves TLS. */
  secure: boolean;
  /** E.g. `https://apps.example.com`: an app is at `https://LABEL.apps.example.com`. */
  appsUrl: string | undefined;
}

export class Addresses {
  readonly #program: string;
  readonly #scheme: string;
  readonly #apps: URL | undefined;
  readonly #parsed = new Map<string, AppHost>();

  constructor({ program, secure, appsUrl }: AddressParts) {
    this.#program = program;
    this.#scheme = secure ? "https" : "http";
    this.#apps = appsUrl === undefined ? undefined : new URL(appsUrl);
  }

  /** Readable, valid in a host name, and another one for each host, container and port: names hold `_`, dots, `--` and capitals. */
  labelOf({ node, container, port }: Port): string {
    const names = node === undefined ? [container] : [node, container];
    const facts = [this.#program, ...names, port].join("\0");
    const hash = createHash("sha256").update(facts).digest("hex").slice(0, HASH);
    const words = names
      .join("-")
      .toLowerCase()
      .match(/[a-z0-9]+/g) ?? ["app"];
    const slug = words.join("-").slice(0, MAX_SLUG).replace(/-$/, "");
    return `${slug}-${port}-${hash}`;
  }

  /**
   * For a caller who came to `host` (a browser's page: from `origin`). On this machine, or through a tunnel to it, that
   * is a name below localhost; elsewhere one below the configured address. Throws `unsupported` where there is none.
   */
  originFor(port: Port, { host, origin }: { host: string; origin: string | undefined }): string {
    const label = this.labelOf(port);
    const asked = URL.parse(origin ?? `${this.#scheme}://${host}`);
    if (asked && (asked.hostname === LOCAL || isLoopback(asked.hostname)))
      return `${asked.protocol}//${label}.${LOCAL}${asked.port && `:${asked.port}`}`;
    if (this.#apps) return this.#below(this.#apps, label);
    throw new FairleadError(
      "unsupported",
      `There is no address here for a container's pages: set apps_url, or forward a local port with: ctl open ${nameOf(port)} ${port.port}`,
    );
  }

  /** Undefined for a host that is nobody's page. `host` is the Host header in lower case. */
  parse(host: string): AppHost | undefined {
    const known = this.#parsed.get(host);
    if (known) return known;
    if (host.length > MAX_HOST) return undefined;
    const [, label, rest = ""] = LABELLED.exec(host) ?? [];
    if (label === undefined) return undefined;
    const origin = this.#originOf(label, { host, rest });
    if (origin === undefined) return undefined;
    if (this.#parsed.size >= MAX_PARSED) this.#parsed.clear();
    const parsed = { label, origin, cookieName: appCookieName(origin) };
    this.#parsed.set(host, parsed);
    return parsed;
  }

  #originOf(label: string, { host, rest }: { host: string; rest: string }): string | undefined {
    const [name] = rest.split(":", 1);
    if (name === LOCAL) return originOf(`${this.#scheme}://${host}`);
    const apps = this.#apps;
    return apps && name === apps.hostname ? this.#below(apps, label) : undefined;
  }

  #below(apps: URL, label: string): string {
    return originOf(`${apps.protocol}//${label}.${apps.host}`);
  }
}

/** As `ctl` names it. */
function nameOf({ node, container }: Port): string {
  return node === undefined ? container : `${node}:${container}`;
}

/** Without the port that goes without saying. */
function originOf(address: string): string {
  return URL.parse(address)?.origin ?? address;
}
