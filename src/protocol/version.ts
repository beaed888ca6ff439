/** The names by which both ends recognise each other. */

/** The WebSocket subprotocol of the session door. */
export const SUBPROTOCOL = "fairlead.v1";
/** Offered beside {@link SUBPROTOCOL} by browsers, which cannot set headers: `fairlead.ticket.<ticket>`. */
export const TICKET_PREFIX = "fairlead.ticket.";
/** Carries the page secret on every HTTP call of the page; the cookie alone never authenticates. */
export const PAGE_SECRET_HEADER = "x-fairlead-secret";
/** Where the HTTP side of this node's agent is; of no node, that of whoever is asked. */
export function apiOf(node: string | undefined): string {
  return node === undefined ? "/api/v1" : `/api/v1/nodes/${encodeURIComponent(node)}`;
}

export const SESSIONS_PATH = "/api/v1/sessions";
/** Where an agent dials its server, in the same subprotocol; the server opens the channels there. */
export const UPLINK_PATH = "/api/v1/uplink";
/** Channels that an agent takes from its server at a time, of all clients together. */
export const UPLINK_CHANNELS = 1_000;

/** On every answer over HTTP. */
export const REQUEST_ID_HEADER = "x-request-id";
