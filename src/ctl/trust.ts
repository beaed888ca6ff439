/** Asks the person at the terminal whether to trust a server that nobody vouches for, and remembers a yes. */

import { pinsFile, rememberPin } from "./connection/pins.ts";
import type { Stranger } from "./connection/locate.ts";
import type { Messages } from "./messages.ts";
import type { World } from "./world.ts";

export interface TrustParts {
  world: World;
  messages: Messages;
}

/** Asks once in a run, however many connections want to know. */
export function introducer(parts: TrustParts): (stranger: Stranger) => Promise<boolean> {
  let answer: Promise<boolean> | undefined;
  return (stranger) => (answer ??= introduce(stranger, parts));
}

async function introduce({ origin, pin, why }: Stranger, { world, messages }: TrustParts): Promise<boolean> {
  messages.say(`No authority that is known here vouches for ${origin} (${why}). Its pin is ${pin}`);
  messages.say("Compare that with the pin that it printed when it started. Type yes to trust it from now on:");
  const line = await readLine(world.stdin);
  if (line.trim().toLowerCase() !== "yes") return false;
  await rememberPin(world.env, origin, pin);
  messages.say(`Its pin is kept in ${pinsFile(world.env)}.`);
  return true;
}

/** What was typed up to Enter; nothing when the terminal went away. What is typed after it stays for the command. */
function readLine(stdin: World["stdin"]): Promise<string> {
  return new Promise((resolve) => {
    const done = (line: string) => {
      stdin.off("readable", typed).off("end", ended);
      resolve(line);
    };
    const typed = () => {
      const bytes = stdin.read() as Buffer | null;
      if (bytes) done(bytes.toString());
    };
    const ended = () => done("");
    // Not "data": a stream that was paused after it would not begin again by itself.
    stdin.on("readable", typed).on("end", ended);
  });
}
