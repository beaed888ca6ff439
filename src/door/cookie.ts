/** The page's cookie. Its name carries the port, because a browser sends one cookie to every port of a host. */

import { Pages } from "../auth/pages.ts";

const PREFIX = "__Host-fairlead";
/** A `Cookie` header longer than this is not looked at. */
const MAX_HEADER = 8_192;

/** The value of our cookie; `undefined` if it is absent or there twice. */
export function readCookie(header: string | undefined, host: string): string | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined;
  const wanted = `${cookieName(host)}=`;
  const [found, ...more] = header.split(";").flatMap((pair) => {
    const trimmed = pair.trim();
    return trimmed.startsWith(wanted) ? [trimmed.slice(wanted.length)] : [];
  });
  return more.length === 0 ? found : undefined;
}

/** `__Host-` makes the browser insist on Secure, Path=/ and no Domain; it works over plain HTTP on loopback too. */
export function setCookie(value: string, host: string): string {
  const age = Math.floor(Pages.lifetime / 1_000);
  return `${cookieName(host)}=${value}; Path=/; Max-Age=${age}; Secure; HttpOnly; SameSite=Strict`;
}

export function clearCookie(host: string): string {
  return `${cookieName(host)}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict`;
}

function cookieName(host: string): string {
  const port = /:(\d+)$/.exec(host)?.[1];
  return port === undefined ? PREFIX : `${PREFIX}-${port}`;
}
