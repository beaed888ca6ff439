/** Names and links in an archive of somebody who is not trusted. */

/** One part of a path, which leads to nothing but itself. */
export function isName(part: string): boolean {
  return part !== "" && part !== "." && part !== ".." && !part.includes("\0");
}

/** Something in it could not be read as UTF-8, so it is not what the name is over there; or it has U+FFFD in it, which looks the same. */
export function isMangled(name: string): boolean {
  return name.includes("\ufffd");
}

/**
 * Whether a link at `below`, a path under the root, can only lead to what is under the root too. Steps up may only come
 * first: after a name they would start where that name leads.
 */
export function staysInside(below: string, target: string): boolean {
  if (below === "" || target === "" || target.startsWith("/") || target.includes("\0")) return false;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const steps = parts.findIndex((part) => part !== "..");
  const up = steps < 0 ? parts.length : steps;
  return !parts.slice(up).includes("..") && up < below.split("/").length;
}
