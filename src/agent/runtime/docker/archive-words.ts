/** Why the engine does not copy: its own words may name directories of its host, and there is one status for nearly all. */

import { RuntimeError, type RuntimeErrorCode } from "../runtime.ts";
import { quote } from "./errors.ts";

type PathCode = Extract<
  RuntimeErrorCode,
  "path-not-found" | "path-denied" | "not-a-directory" | "read-only" | "disk-full"
>;

const SIGNS: [RegExp, PathCode][] = [
  [/not find the file|no such file or directory/i, "path-not-found"],
  [/not a directory|cannot overwrite|file exists/i, "not-a-directory"],
  [/read-only/i, "read-only"],
  [/no space left|quota exceeded/i, "disk-full"],
  [/permission denied|operation not permitted/i, "path-denied"],
];

const WORDS: Record<PathCode, (path: string) => string> = {
  "path-not-found": (path) =>
    `There is no ${path} in the container, as far as the engine sees it (no tmpfs, /dev or /proc).`,
  "not-a-directory": (path) =>
    `At ${path} in the container, or below, a file is where a directory is needed, or the reverse.`,
  "read-only": (path) => `The container cannot write ${path}: its file system or that volume is read-only.`,
  "disk-full": (path) =>
    `There is no room left for ${path} in the container. What fitted is there; remove it or make room.`,
  "path-denied": (path) => `The engine may not use ${path} in the container.`,
};

export function refusal(code: PathCode, path: string, cause?: unknown): RuntimeError {
  return new RuntimeError(code, WORDS[code](path), { cause });
}

/** What the engine said about a path in our words; its own are quoted only where we have none. */
export function explained(error: unknown, path: string): unknown {
  if (!(error instanceof RuntimeError) || error.code === "engine-unavailable") return error;
  if (/no such container/i.test(error.message))
    return new RuntimeError("not-found", "The container was removed meanwhile.", { cause: error });
  const code = SIGNS.find(([pattern]) => pattern.test(error.message))?.[1];
  if (code) return refusal(code, path, error);
  return new RuntimeError("engine-error", `The engine could not copy ${path}: ${quote(error.message)}`, {
    cause: error,
  });
}
