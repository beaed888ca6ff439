/** The servers that this user has a name for: the address, token and pin of each, and which of them is meant where none is named. */

import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { readPrivate } from "../../boot/private-file.ts";
import { Failure, UsageError } from "../failure.ts";
import { keep } from "./kept.ts";
import { type Settings, settingsFile } from "./places.ts";

type Env = NodeJS.ProcessEnv;

/** The name of the choice to mean this machine's own agent, as if there were no contexts. */
export const LOCAL = "local";

const Context = z.object({
  server: z.string(),
  token: z.optional(z.string()),
  token_file: z.optional(z.string()),
  pin: z.optional(z.string()),
  insecure_plaintext: z.optional(z.boolean()),
});
export type Context = z.infer<typeof Context>;

const Contexts = z.object({ current: z.optional(z.string()), contexts: z.record(z.string(), Context) });
export type Contexts = z.infer<typeof Contexts>;

export function contextsFile(env: Env): string {
  return join(dirname(settingsFile(env)), "contexts.json");
}

/** None where the user never logged in. Throws when the file is not to be trusted or not understood. */
export async function readContexts(env: Env): Promise<Contexts> {
  const path = contextsFile(env);
  const text = await readPrivate(path);
  if (text === undefined) return { contexts: {} };
  try {
    return Contexts.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure(`${path} is damaged. Mend it, or remove it and log in again (ctl login).`, { cause });
  }
}

export async function writeContexts(env: Env, contexts: Contexts): Promise<void> {
  await keep(contextsFile(env), contexts);
}

/** Adds or replaces it, and means it from now on where that is asked for. */
export async function saveContext(env: Env, name: string, context: Context, use: "use" | "keep"): Promise<void> {
  const { current, contexts } = await readContexts(env);
  const chosen = use === "use" ? name : current;
  await writeContexts(env, {
    ...(chosen !== undefined && { current: chosen }),
    contexts: { ...contexts, [name]: context },
  });
}

/** The one of this name, else the one in use, in the shape of settings; `undefined` where this machine's agent is meant. */
export async function chosenContext(env: Env, named: string | undefined): Promise<Settings | undefined> {
  const all = await readContexts(env);
  const name = named ?? all.current;
  if (name === undefined || name === LOCAL) return undefined;
  return { ...contextOf(all, name), path: `${contextsFile(env)}, context ${name}` };
}

/** Throws with the names that there are. */
export function contextOf({ contexts }: Contexts, name: string): Context {
  const context = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (context) return context;
  const names = [...Object.keys(contexts), LOCAL].join(", ");
  throw new UsageError(
    `There is no context "${name}". There are: ${names}. Add one with ctl context add or ctl login.`,
  );
}
