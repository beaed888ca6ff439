/** The two ends of a copy as they are written on the command line. */

import { basename, posix, resolve } from "node:path";
import { UsageError } from "../failure.ts";

/** `[NODE:]CONTAINER:PATH`, a path here, or `-` for a pipe. */
export type End =
  | { at: "container"; node?: string; container: string; path: string }
  | { at: "here"; path: string }
  | { at: "pipe" };

/** The rule of `docker cp`: what begins with a slash or a dot is here, whatever colons it has. Throws {@link UsageError}. */
export function parseEnd(text: string): End {
  if (text === "-") return { at: "pipe" };
  if (!text.includes(":") || /^[./]/.test(text)) {
    if (text === "") throw new UsageError("A path is empty. Write . for the directory that you are in.");
    return { at: "here", path: text };
  }
  // With a node in front the path begins with a slash: else its own colons could not be told from that of the node.
  const [, node, container = "", path = ""] = /^(?:([^:/]+):(?=[^:/][^:]*:\/))?([^:]*):(.*)$/s.exec(text) ?? [];
  if (container === "" || path === "") throw new UsageError(`"${text}" is not CONTAINER:PATH. Example: web:/etc/hosts`);
  return { at: "container", container, path, ...(node !== undefined && { node }) };
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
