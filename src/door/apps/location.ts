/** Redirects of an app that only knows itself by the container's own address. */

/** How a program calls the machine that it runs on. */
const ITSELF = ["localhost", "127.0.0.1", "[::1]", "0.0.0.0"];

export interface Known {
  /** Where the browser meets the app. */
  origin: string;
  port: number;
  /** What the container is called, its id's beginning too, and the address that was dialled. */
  names: readonly string[];
}

/** The same place as the browser knows it; anything that is not the app itself stays what it is. */
export function rewriteLocation(location: string, { origin, port, names }: Known): string {
  const target = URL.parse(location);
  if (!target || !/^https?:\/\//i.test(location)) return location;
  const asked = Number(target.port || (target.protocol === "https:" ? 443 : 80));
  const own = names.includes(target.hostname) || ITSELF.includes(target.hostname);
  return own && asked === port ? `${origin}${target.pathname}${target.search}${target.hash}` : location;
}
