/** Under which names this program answers, and which web pages may call it: against DNS rebinding and cross-site requests. */

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { FairleadError } from "../protocol/errors.ts";
import { isLoopback, plainAddress } from "./address.ts";

/** A name or an address, and perhaps a port; nothing that a parser could read in two ways. */
const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(\d{1,5}))?$/;
/** Methods that change nothing. */
const SAFE = new Set(["GET", "HEAD"]);

export class Names {
  readonly #publicOrigins: Set<string>;
  readonly #publicNames: Set<string>;
  readonly #names: Set<string>;

  /** Throws for a public URL that is none. */
  constructor(publicUrls: readonly string[]) {
    const urls = publicUrls.map(publicUrl);
    this.#publicOrigins = new Set(urls.map((url) => url.origin));
    this.#publicNames = new Set(urls.map((url) => url.hostname));
    this.#names = new Set(["localhost", ...this.#publicNames, ...ownNames()]);
  }

  /** Throws `wrong-host` unless the request names this program, once, in a way that cannot be misread. Returns the host as given. */
  checkHost(request: IncomingMessage): string {
    const host = request.headers.host?.toLowerCase() ?? "";
    const name = HOST.exec(host)?.[1];
    if (name !== undefined && count(request, "host") === 1 && this.#isOurs(name)) return host;
    throw new FairleadError(
      "wrong-host",
      "This server does not answer under that host name. If it should, add its address to public_urls.",
    );
  }

  /**
   * Throws `wrong-origin` unless the page that sent the request is our own: scheme, host and port exactly. A program
   * that is no browser sends no Origin; it may change things, or open a WebSocket, with a bearer token only.
   */
  checkOrigin(request: IncomingMessage, { host, upgrade }: { host: string; upgrade: boolean }): void {
    const origins = count(request, "origin");
    const harmless = SAFE.has(request.method ?? "") && !upgrade;
    if (origins === 0 && (harmless || provesItself(request))) return;
    const { origin } = request.headers;
    if (origins === 1 && origin !== undefined && this.#allows(origin, request, host)) return;
    const words =
      origins === 0
        ? "Send a token (Authorization: Bearer ...): without one this is for this server's own page, and no page is named (Origin)."
        : "This web page may not call this server. If it is the server's own page, add its address to public_urls.";
    throw new FairleadError("wrong-origin", words);
  }

  #allows(origin: string, request: IncomingMessage, host: string): boolean {
    if (this.#publicOrigins.has(origin)) return true;
    const own = URL.parse(`${"encrypted" in request.socket ? "https" : "http"}://${host}`);
    // Of a public name only the public address counts, not the same name without TLS.
    return own !== null && !this.#publicNames.has(own.hostname) && origin === own.origin;
  }

  #isOurs(name: string): boolean {
    if (this.#names.has(name) || isLoopback(name)) return true;
    return isIP(plainAddress(name)) !== 0 && interfaceAddresses().has(plainAddress(name));
  }
}

/** With a header that no page on another site can set without being asked about first. */
function provesItself({ headers }: IncomingMessage): boolean {
  return headers.authorization !== undefined || headers["signature"] !== undefined;
}

/** How often a header came; Node itself shows only the first of some. */
export function count(request: IncomingMessage, header: string): number {
  const isIt = (name: string) => name.length === header.length && name.toLowerCase() === header;
  return request.rawHeaders.filter((name, index) => index % 2 === 0 && isIt(name)).length;
}

/** Asked for each time: addresses come and go while the program runs. */
function interfaceAddresses(): Set<string> {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return new Set(all.map(({ address }) => plainAddress(address)));
}

function ownNames(): string[] {
  const full = hostname().toLowerCase();
  return [full, full.split(".", 1)[0] ?? full];
}

function publicUrl(text: string): URL {
  const url = URL.parse(text);
  if (url && (url.protocol === "https:" || url.protocol === "http:")) return url;
  throw new Error(`"${text}" is no address such as https://gw.example.com (public_urls).`);
}
