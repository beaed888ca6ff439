/** The options that say what becomes of a command over there when the connection is lost. */

import { type Command, InvalidArgumentError } from "commander";
import type { SessionOptions } from "../client/client.ts";
import { parseDuration } from "../lib/duration.ts";

export interface Lasting {
  keep?: number;
  onDrop?: "kill" | "keep";
}

/** The longest that an agent agrees to, in milliseconds. */
const MAX_KEEP = 86_400_000;

export function addLasting(command: Command): Command {
  return command
    .option("--keep <duration>", "how long it waits for a lost connection to come back, such as 10m", keepTime)
    .option("--on-drop <what>", "what becomes of it when the connection is lost: kill or keep", onDrop);
}

/** As the client wants it; what was not said is left to the agent. */
export function sessionOptions({
  keep,
  onDrop: what = keep === undefined ? undefined : "keep",
}: Lasting): SessionOptions {
  return { ...(what && { onDrop: what }), ...(keep !== undefined && { grace: keep }) };
}

function keepTime(text: string): number {
  try {
    const ms = Math.round(parseDuration(text));
    if (ms >= 0 && ms <= MAX_KEEP) return ms;
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError("Write a duration up to 24h, such as 30s or 10m.");
}

function onDrop(text: string): "kill" | "keep" {
  if (text === "kill" || text === "keep") return text;
  throw new InvalidArgumentError("Write kill or keep.");
}
