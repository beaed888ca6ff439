/** Signal names as people and protocols write them. */

import { constants } from "node:os";
import { RuntimeError } from "./runtime.ts";

/** "INT", "int" and "SIGINT" are all SIGINT; throws RuntimeError `invalid` for what is no signal. */
export function toSignal(name: string): NodeJS.Signals {
  const full = `SIG${name.toUpperCase().replace(/^SIG/, "")}`;
  if (!Object.hasOwn(constants.signals, full)) throw new RuntimeError("invalid", `"${name}" is not a signal.`);
  return full as NodeJS.Signals;
}
