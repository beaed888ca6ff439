/** The servers that this user once decided to trust: the pin of each, in a file beside the settings. */

import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { readPrivate } from "../../boot/private-file.ts";
import { parsePin } from "../../lib/pin.ts";
import { Failure } from "../failure.ts";
import { keep } from "./kept.ts";
import { settingsFile } from "./places.ts";

type Env = NodeJS.ProcessEnv;

/** The pin by the server's origin, `https://host:port`. */
const Pins = z.record(z.string(), z.string());

export function pinsFile(env: Env): string {
  return join(dirname(settingsFile(env)), "pins.json");
}

/** `undefined` for a server that nobody decided about. Throws when the file is not to be trusted or not understood. */
export async function knownPin(env: Env, origin: string): Promise<string | undefined> {
  const path = pinsFile(env);
  const text = (await readPins(path))[origin];
  if (text === undefined) return undefined;
  const pin = parsePin(text);
  if (!pin) throw damaged(path, new Error(`"${text}" is no pin`));
  return pin;
}

/** Written whole or not at all. */
export async function rememberPin(env: Env, origin: string, pin: string): Promise<void> {
  const path = pinsFile(env);
  await keep(path, { ...(await readPins(path)), [origin]: pin });
}

async function readPins(path: string): Promise<Record<string, string>> {
  const text = await readPrivate(path);
  if (text === undefined) return {};
  try {
    return Pins.parse(JSON.parse(text));
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function damaged(path: string, cause: unknown): Failure {
  return new Failure(`${path} is damaged. Mend it, or remove it: then ctl asks again which servers to trust.`, {
    cause,
  });
}
