/** Turns a typed command into the words that are executed, and back; no shell is involved, so that it works in images without one. */

import { FairleadError } from "../../protocol/errors.ts";

/** The default command: the best shell that is there, in one exec. */
export const SHELL: readonly string[] = ["/bin/sh", "-c", "command -v bash >/dev/null && exec bash || exec sh"];

/** Nothing but a shell was asked for. */
export function isShell(command: readonly string[]): boolean {
  return commandLine(command) === commandLine(SHELL);
}

/** Splits at spaces outside quotes; a backslash takes the next character as it is (inside double quotes only `"` and `\`). */
export function words(line: string): string[] {
  const found: string[] = [];
  const scanner = /\s+|'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^\s'"\\]+)/gsuy;
  let word: string | undefined;
  while (scanner.lastIndex < line.length) {
    const match = scanner.exec(line);
    if (!match)
      throw new FairleadError("bad-request", "A quote in the command is not closed, or it ends in a backslash.");
    const [whole, single, double, escaped, plain] = match;
    const part = single ?? double?.replace(/\\(["\\])/g, "$1") ?? escaped ?? plain;
    if (part !== undefined) word = (word ?? "") + part;
    else if (whole !== "" && word !== undefined) {
      found.push(word);
      word = undefined;
    }
  }
  if (word !== undefined) found.push(word);
  if (found.length === 0) throw new FairleadError("bad-request", "Type a command, for example: ls -l /");
  return found;
}

/** The reverse of {@link words}, for showing: quotes only where they are needed. */
export function commandLine(command: readonly string[]): string {
  return command.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");
}
