/** Which headers pass between a browser and an app: nothing of ours goes in, and nothing comes out that reaches beyond the app. */

import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from "node:http";
import { FairleadError } from "../../protocol/errors.ts";
import { PAGE_SECRET_HEADER, TICKET_PREFIX } from "../../protocol/version.ts";
import { subprotocols } from "../identity.ts";
import { cookiesForApp, maySet } from "./cookie.ts";

/** They speak of one connection only (RFC 9110, 7.6.1), `Expect` too: the door has answered it. */
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "te",
  "trailer",
  "upgrade",
  "http2-settings",
  "expect",
]);
/** What a `Connection` header may not take out: where the message ends, and whom it is for. */
const FRAMING = new Set(["host", "content-length", "transfer-encoding"]);
/** Where the request came from: said by us alone. */
const FORWARDED = /^(forwarded|via|x-real-ip|x-forwarded-.*)$/;
/** They would speak for more than the app: for all that the browser stores, for its future, for other ports. */
const FAR_REACHING = new Set(["clear-site-data", "service-worker-allowed", "strict-transport-security", "alt-svc"]);
/** What no trailer may say. */
const NO_TRAILER = new Set(["set-cookie", "location", "content-encoding", "content-type", "content-range"]);

/** As they came, by lower-case names. */
export type Headers = NodeJS.Dict<string | string[]>;
/** Names and values in turn; a name may come more than once. */
export type HeaderList = string[];

export interface From {
  /** The client's address. */
  address: string;
  /** Of the app, what {@link forwardedFor} made of it. */
  forwarded: Readonly<HeaderList>;
  /** Whether a credential is one of our own. */
  isOurs: (authorization: string) => boolean;
}

/** How an app's own origin is told to it. */
export function forwardedFor(origin: string): HeaderList {
  const { protocol, host, port } = new URL(origin);
  const facts = {
    "x-forwarded-proto": protocol.slice(0, -1),
    "x-forwarded-host": host,
    "x-forwarded-port": port || (protocol === "https:" ? "443" : "80"),
  };
  return Object.entries(facts).flat();
}

/** What the app is told. Throws `bad-request` for a body that is coded in a way that could not be passed on. */
export function headersForApp(request: IncomingMessage, { address, forwarded, isOurs }: From): HeaderList {
  const { "transfer-encoding": coding } = request.headers;
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    throw new FairleadError("bad-request", "The request's body has a transfer coding other than chunked.");
  const passed = passing(request.headers, (name, value) => {
    if (name === "cookie") return cookiesForApp(value);
    if (name === "authorization") return isOurs(value) ? undefined : value;
    if (name === "sec-websocket-protocol") return protocolsForApp(request);
    return name === PAGE_SECRET_HEADER || FORWARDED.test(name) ? undefined : value;
  });
  return [...passed, "x-forwarded-for", address, ...forwarded];
}

/** What the browser is told; `moved` gives the place that it knows for one that the app names. */
export function headersForGuest(headers: Headers, moved: (location: string) => string): HeaderList {
  const isCoded = headers["transfer-encoding"] !== undefined;
  return passing(headers, (name, value) => {
    if (name === "set-cookie") return maySet(value) ? value : undefined;
    if (name === "location") return moved(value);
    // Whoever passes the bytes on divides them anew.
    if (name === "transfer-encoding" || (name === "content-length" && isCoded)) return undefined;
    return FAR_REACHING.has(name) ? undefined : value;
  });
}

/** The app's own phrase is for nobody, and could hold what no answer may. */
export function phraseOf(status: number): string {
  return STATUS_CODES[status] ?? "";
}

/** Those that may follow a body. */
export function trailersOf(trailers: Headers): [string, string][] {
  const unfit = [HOP_BY_HOP, FRAMING, FAR_REACHING, NO_TRAILER];
  return Object.entries(trailers).flatMap(([name, values = []]) =>
    unfit.some((names) => names.has(name)) ? [] : [values].flat().map((value): [string, string] => [name, value]),
  );
}

/** The same as `node:http` gives them. */
export function asObject(list: HeaderList): IncomingHttpHeaders {
  const headers: IncomingHttpHeaders = {};
  for (let at = 0; at < list.length; at += 2) {
    const [name = "", value = ""] = list.slice(at, at + 2);
    if (name === "set-cookie") (headers["set-cookie"] ??= []).push(value);
    else headers[name] = value;
  }
  return headers;
}

/** First what `Connection` names goes, then what never stays: nothing that is added later can be named away. */
function passing(all: Headers, pass: (name: string, value: string) => string | undefined): HeaderList {
  const connection = [all["connection"] ?? []].flat().join();
  const named = connection.split(",").map((name) => name.trim().toLowerCase());
  const list: HeaderList = [];
  for (const [name, values = []] of Object.entries(all)) {
    if (HOP_BY_HOP.has(name) || (named.includes(name) && !FRAMING.has(name))) continue;
    for (const value of typeof values === "string" ? [values] : values) {
      const passed = pass(name, value);
      if (passed !== undefined) list.push(name, passed);
    }
  }
  return list;
}

function protocolsForApp(request: IncomingMessage): string | undefined {
  const offered = subprotocols(request).filter((protocol) => !protocol.startsWith(TICKET_PREFIX));
  return offered.join(", ") || undefined;
}
