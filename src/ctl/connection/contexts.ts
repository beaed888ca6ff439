/** The servers that this user has logged in to: the address, token and pin of each, and which of them is meant where none is named. */

import { rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { makePrivateDirectory, readPrivate, removeIfThere, wording, writeNew } from "../../boot/private-file.ts";
import { Failure } from "../failure.ts";
import { type Settings, settingsFile } from "./places.ts";

type Env = NodeJS.ProcessEnv;

const Context = z.object({ server: z.string(), token: z.string(), pin: z.optional(z.string()) });
type Context = z.infer<typeof Context>;

const Contexts = z.object({ current: z.optional(z.string()), contexts: z.record(z.string(), Context) });
type Contexts = z.infer<typeof Contexts>;

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

/** Written whole or not at all. */
export async function writeContexts(env: Env, contexts: Contexts): Promise<void> {
  const path = contextsFile(env);
  await wording(path, async () => {
    await makePrivateDirectory(dirname(path));
    await removeIfThere(`${path}.new`);
    await writeNew(`${path}.new`, `${JSON.stringify(contexts, undefined, 2)}\n`);
    await rename(`${path}.new`, path);
  });
}

/** The one in use, in the shape of settings; `undefined` where there is none. */
export async function currentContext(env: Env): Promise<Settings | undefined> {
  const { current, contexts } = await readContexts(env);
  const context = current === undefined ? undefined : contexts[current];
  return context && { ...context, path: contextsFile(env) };
}
