/** Reads from a request who sent it. A cookie alone says nothing: every port of the host receives it. */

import type { IncomingMessage } from "node:http";
import type { Credentials } from "../auth/credentials.ts";
import type { Subject } from "../auth/grant.ts";
import type { Page } from "../auth/pages.ts";
import { PAGE_SECRET_HEADER, TICKET_PREFIX } from "../protocol/version.ts";
import { VouchedStream } from "./channel-stream.ts";
import { readCookie } from "./cookie.ts";
import { count } from "./names.ts";

const BEARER = /^Bearer +(\S+)$/i;

export interface Identity {
  subject: Subject;
  /** For a page, and for a WebSocket that one opened. */
  page?: Page;
  /** He came with a server's pass. */
  direct?: true;
}

/** An agent that signed the request with its key. */
export interface HostIdentity {
  /** Of the node that the server knows. */
  name: string;
  uid: string;
  epoch: number;
  /** Aborted when the host is removed, copied or has changed its key: with a FairleadError as its reason. */
  revoked: AbortSignal;
  /** What the body must hash to (`contentDigest`); looked at when the body is read. */
  digest: string;
}

/** Recognises agents; throws a FairleadError for what is not signed, or not by a host that is known. */
export type HostCheck = (request: IncomingMessage) => Promise<HostIdentity>;

/** `none` when the request holds nothing that could prove anything; `wrong` when it holds something that does not. */
export type Finding = Identity | "none" | "wrong";

export interface Shape {
  /** The Host header, already found to be ours. */
  host: string;
  /** It asks to become a WebSocket. */
  upgrade: boolean;
}

/** A WebSocket needs a bearer token or a ticket, everything else a bearer token or both halves of a page's proof. */
export function identify(request: IncomingMessage, shape: Shape, credentials: Credentials): Finding {
  const finding = find(request, shape, credentials);
  return typeof finding === "object" && finding.subject.revoked.aborted ? "wrong" : finding;
}

function find(request: IncomingMessage, { host, upgrade }: Shape, credentials: Credentials): Finding {
  const vouched = vouchedFor(request);
  if (vouched) return { subject: vouched };
  const { authorization, cookie } = request.headers;
  if (authorization !== undefined) return byToken(request, authorization, credentials);
  const held = readCookie(cookie, host);
  return upgrade ? byTicket(request, held, credentials) : byPage(request, held, credentials);
}

function byToken(request: IncomingMessage, authorization: string, credentials: Credentials): Finding {
  const token = BEARER.exec(authorization)?.[1];
  if (token === undefined || count(request, "authorization") !== 1) return "wrong";
  const subject = credentials.tokens.verify(token);
  return subject ? { subject } : "wrong";
}

function byPage(request: IncomingMessage, cookie: string | undefined, credentials: Credentials): Finding {
  const secret = request.headers[PAGE_SECRET_HEADER];
  if (cookie === undefined || typeof secret !== "string") return "none";
  const page = credentials.pages.verify(cookie, secret);
  return page ? { subject: page.subject, page } : "wrong";
}

function byTicket(request: IncomingMessage, cookie: string | undefined, credentials: Credentials): Finding {
  const tickets = subprotocols(request).filter((protocol) => protocol.startsWith(TICKET_PREFIX));
  const [ticket] = tickets;
  if (ticket === undefined) return "none";
  if (tickets.length > 1) return "wrong";
  const page = cookie === undefined ? undefined : credentials.pages.find(cookie);
  const origin = request.headers.origin;
  const holder = credentials.tickets.redeem(ticket.slice(TICKET_PREFIX.length), { origin, page: page?.id });
  return holder ? { subject: holder.subject, ...(holder.page !== undefined && page && { page }) } : "wrong";
}

/** Who uses this connection, where a server has said it. */
export function vouchedFor({ socket }: { socket: unknown }): Subject | undefined {
  return socket instanceof VouchedStream ? socket.subject : undefined;
}

/** What a WebSocket client offers to speak. */
export function subprotocols(request: IncomingMessage): string[] {
  const offered = request.headers["sec-websocket-protocol"] ?? "";
  return offered.split(",").map((protocol) => protocol.trim());
}
