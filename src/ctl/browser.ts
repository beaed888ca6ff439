/** The browser of whoever types: started, and left to itself. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { platform } from "node:os";

/** What opens an address with the program that the person prefers, by system. */
const OPENERS: Record<string, string> = { darwin: "open" };
const OPENER = "xdg-open";

/** False when no browser could be started: there may be none here, or no screen. */
export async function openBrowser(address: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const [file = "", ...args] = commandFor(address, env["BROWSER"]);
  const child = spawn(file, args, { stdio: "ignore", detached: true, env });
  try {
    await once(child, "spawn");
  } catch {
    return false;
  }
  child.unref();
  return true;
}

/** `BROWSER` is a command, or several with colons between them of which the first is taken; `%s` stands for the address. */
function commandFor(address: string, preferred: string | undefined): string[] {
  const [command = ""] = (preferred ?? "").split(":");
  const words = command.split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return [OPENERS[platform()] ?? OPENER, address];
  const filled = words.map((word) => word.replaceAll("%s", address));
  return command.includes("%s") ? filled : [...filled, address];
}
