/** Which headers pass between a browser and an app: nothing of ours goes in, and nothing comes out that reaches beyond the app. */

import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from "node:http";
import { FairleadError } from "../../../protocol/errors.ts";
import { PAGE_SECRET_HEADER, TICKET_PREFIX } from "../../../protocol/version.ts";
import { subprotocols } from "../../../door/identity.ts";
import { cookiesForApp, maySet } from "./cookie.ts";

/** They speak of one connection only (RFC 9110, 7.6.1), `Expect` too: the door has answered it. */
const HOP_BY_HOP = [
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
];
/** What a `Connection` header may not take out: where the message ends, and whom it is for. */
const FRAMING = ["host", "content-length", "transfer-encoding"];
/** Where the request came from: said by us alone. */
const FORWARDED = /^(forwarded|via|x-real-ip|x-forwarded-.*)$/;
/** They would speak for more than the app: for all that the browser stores, for its future, for other ports. */
const FAR_REACHING = ["clear-site-data", "service-worker-allowed", "strict-transport-security", "alt-svc"];
/** What no trailer may say. */
const NO_TRAILER = ["set-cookie", "location", "content-encoding", "content-type", "content-range"];

export interface From {
  /** The client's address. */
  address: string;
  /** The app's own. */
  origin: string;
  /** Whether a credential is one of the agent's own. */
  isOurs: (authorization: string) => boolean;
}

/** What the app is told. Throws `bad-request` for a body that is coded in a way that could not be passed on. */
export function headersForApp(request: IncomingMessage, { address, origin, isOurs }: From): IncomingHttpHeaders {
  const { upgrade } = request.headers;
  const headers = withoutHops(request.headers);
  for (const name of Object.keys(headers)) if (FORWARDED.test(name)) delete headers[name];
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked")
    throw new FairleadError("bad-request", "The request's body has a transfer coding other than chunked.");
  delete headers[PAGE_SECRET_HEADER];
  if (isOurs(headers.authorization ?? "")) delete headers.authorization;
  replace(headers, "cookie", cookiesForApp(headers.cookie));
  if (headers["sec-websocket-protocol"] !== undefined) {
    const offered = subprotocols(request).filter((protocol) => !protocol.startsWith(TICKET_PREFIX));
    replace(headers, "sec-websocket-protocol", offered.join(", ") || undefined);
  }
  if (upgrade?.toLowerCase() === "websocket") Object.assign(headers, { connection: "Upgrade", upgrade: "websocket" });
  const { protocol, host, port } = new URL(origin);
  return Object.assign(headers, {
    "x-forwarded-for": address,
    "x-forwarded-proto": protocol.slice(0, -1),
    "x-forwarded-host": host,
    "x-forwarded-port": port || (protocol === "https:" ? "443" : "80"),
  });
}

/** What the browser is told: the app's headers, in place. */
export function cleanseAnswer(answer: IncomingMessage): void {
  const { upgrade, "set-cookie": cookies } = answer.headers;
  const headers = withoutHops(answer.headers);
  for (const name of FAR_REACHING) delete headers[name];
  // Whoever passes the bytes on divides them anew.
  if (headers["transfer-encoding"] !== undefined) delete headers["content-length"];
  delete headers["transfer-encoding"];
  const kept = cookies?.filter(maySet) ?? [];
  delete headers["set-cookie"];
  if (kept.length > 0) headers["set-cookie"] = kept;
  if (answer.statusCode === 101) Object.assign(headers, { connection: "Upgrade", upgrade });
  answer.headers = headers;
  // The app's own phrase is for nobody, and could hold what no answer may.
  answer.statusMessage = STATUS_CODES[answer.statusCode ?? 0] ?? "";
}

/** Those that may follow a body. */
export function trailersOf({ trailers }: IncomingMessage): [string, string][] {
  const unfit = [...HOP_BY_HOP, ...FRAMING, ...FAR_REACHING, ...NO_TRAILER];
  return Object.entries(trailers).flatMap(([name, value]) =>
    value === undefined || unfit.includes(name) ? [] : [[name, value] as [string, string]],
  );
}

/** First what `Connection` names goes, then what never stays: nothing that is added later can be named away. */
function withoutHops(all: IncomingHttpHeaders): IncomingHttpHeaders {
  const named = (all.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const headers = { ...all };
  for (const name of [...named, ...HOP_BY_HOP]) if (!FRAMING.includes(name)) delete headers[name];
  return headers;
}

function replace(headers: IncomingHttpHeaders, name: string, value: string | undefined): void {
  if (value === undefined) delete headers[name];
  else headers[name] = value;
}
