/** The cookie that lets one browser see one app, and which cookies pass between the two. */

/** Names that are ours, here and on the program's own page: no app ever sees or sets one. */
const OURS = /^(__host-|__secure-)?fairlead/i;
const NAME = "fairlead-app";
const SEPARATOR = /;\s*/;

/** `__Host-` makes the browser insist on what it needs anyway: Secure, Path=/ and no Domain. Without TLS it knows neither, but for localhost. */
export function appCookieName(origin: string): string {
  return takesSecure(origin) ? `__Host-${NAME}` : NAME;
}

/** Lax: whoever follows a link to the app from elsewhere is let in, and nothing else from elsewhere is. */
export function appCookie(value: string, { origin, lifetimeMs }: { origin: string; lifetimeMs: number }): string {
  const secure = takesSecure(origin) ? "; Secure" : "";
  return `${appCookieName(origin)}=${value}; Path=/; Max-Age=${Math.floor(lifetimeMs / 1_000)}; HttpOnly; SameSite=Lax${secure}`;
}

/** Undefined when it is not there, or there twice. */
export function readAppCookie(header: string | undefined, name: string): string | undefined {
  const wanted = `${name}=`;
  const [found, ...more] = pairs(header).filter((pair) => pair.startsWith(wanted));
  return more.length === 0 ? found?.slice(wanted.length) : undefined;
}

/** What the app may know of a `Cookie` header; undefined when nothing is left. */
export function cookiesForApp(header: string): string | undefined {
  return (
    pairs(header)
      .filter((pair) => !OURS.test(pair))
      .join("; ") || undefined
  );
}

/** A cookie for other hosts than the app's own, or with a name of ours, is none that an app may set. */
export function maySet(cookie: string): boolean {
  const [pair = "", ...attributes] = cookie.split(";");
  return !OURS.test(pair.trim()) && !attributes.some((attribute) => /^\s*domain\s*=/i.test(attribute));
}

function pairs(header = ""): string[] {
  return header.split(SEPARATOR).map((pair) => pair.trim());
}

function takesSecure(origin: string): boolean {
  const { protocol, hostname } = new URL(origin);
  return protocol === "https:" || hostname.endsWith(".localhost");
}
