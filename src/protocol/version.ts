/** The names by which both ends recognise each other. */

/** The WebSocket subprotocol of the session door. */
export const SUBPROTOCOL = "fairlead.v1";
/** Offered beside {@link SUBPROTOCOL} by browsers, which cannot set headers: `fairlead.ticket.<ticket>`. */
export const TICKET_PREFIX = "fairlead.ticket.";
/** Carries the page secret on every HTTP call of the page; the cookie alone never authenticates. */
export const PAGE_SECRET_HEADER = "x-fairlead-secret";
export const SESSIONS_PATH = "/api/v1/sessions";
