/** Which pages may ask an app for something: its own. Its neighbours below the same domain would have its cookie sent along. */

import type { IncomingHttpHeaders } from "node:http";
import { FairleadError } from "../../protocol/errors.ts";

const SAFE = ["GET", "HEAD"];
/** Asked by the app's own pages, or by the person at the browser. */
const OWN = ["same-origin", "none"];

/**
 * Throws `wrong-origin` for what another page asks, but for a link to the app that somebody follows; and for service
 * workers, which would outlive the app and stand before whatever comes to its address next. A program that is no browser
 * says nothing of itself.
 */
export function checkWhoAsks(
  headers: IncomingHttpHeaders,
  { method, origin }: { method: string; origin: string },
): void {
  const site = headers["sec-fetch-site"];
  const follows = headers["sec-fetch-mode"] === "navigate" && headers["sec-fetch-dest"] === "document";
  const known = typeof site === "string";
  // A page that hides where it came from says `null`, also to itself.
  const foreign = headers.origin !== undefined && headers.origin !== origin && !(headers.origin === "null" && known);
  const strange = known && !OWN.includes(site) && !(follows && SAFE.includes(method));
  if (foreign || strange)
    throw new FairleadError("wrong-origin", "Another web page asked for this; an app answers its own pages only.");
  if (headers["service-worker"] !== undefined)
    throw new FairleadError("wrong-origin", "A container's pages have no service workers.");
}
