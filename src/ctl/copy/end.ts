/** The two ends of a copy as they are written on the command line. */

import { basename, posix, resolve } from "node:path";
import { UsageError } from "../failure.ts";

/** `CONTAINER:PATH`, a path here, or `-` for a pipe. */
export type End = { at: "container"; container: string; path: string } | { at: "here"; path: string } | { at: "pipe" };

/** The rule of `docker cp`: what begins with a slash or a dot is here, whatever colons it has. Throws {@link UsageError}. */
export function parseEnd(text: string): End {
  if (text === "-") return { at: "pipe" };
  const colon = text.indexOf(":");
  if (colon < 0 || /^[./]/.test(text)) {
    if (text === "") throw new UsageError("A path is empty. Write . for the directory that you are in.");
    return { at: "here", path: text };
  }
  const container = text.slice(0, colon);
  const path = text.slice(colon + 1);
  if (container === "" || path === "") throw new UsageError(`"${text}" is not CONTAINER:PATH. Example: web:/etc/hosts`);
  return { at: "container", container, path };
}

/** The contents of a directory are meant, and not the directory: `dir/.`, `.` and the root. */
export function meansContents(path: string): boolean {
  return /(^|\/)\.$|^\/+$/.test(path);
}

/** The writer is sure that a directory is there. */
export function assertsDirectory(path: string): boolean {
  return /(^|\/)\.?$/.test(path);
}

/** What a copy of it is called. */
export function nameOf(end: { at: "container" | "here"; path: string }): string {
  return end.at === "here" ? basename(resolve(end.path)) : posix.basename(posix.join("/", end.path));
}
