/** The files that tell where the agent is: its own state on this machine, and the user's settings. */

import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import en from "zod/v4/locales/en.js";
import * as z from "zod/mini";
import { readFile } from "../../boot/host.ts";
import { OTHERS, octal, readPrivate, readSecretFile } from "../../boot/private-file.ts";
import { Failure } from "../failure.ts";

type Env = NodeJS.ProcessEnv;

/** What a running agent writes beside its token. */
const AgentFile = z.object({ url: z.string(), socket: z.optional(z.string()), pin: z.optional(z.string()) });

const Settings = z.strictObject({
  server: z.optional(z.string()),
  token: z.optional(z.string()),
  token_file: z.optional(z.string()),
  pin: z.optional(z.string()),
  insecure_plaintext: z.optional(z.boolean()),
});
export type Settings = z.infer<typeof Settings> & { path: string };

/** An agent on this machine, run by the same user. */
export interface LocalAgent {
  url: string;
  /** The same without TCP: a socket file. */
  socket: string | undefined;
  /** Of its key, where it serves TLS. */
  pin: string | undefined;
  /** The file that says so. */
  path: string;
  readToken(): Promise<string>;
}

/** Variables that hold a relative path are ignored, as the XDG specification asks. */
function base(env: Env, name: string, otherwise: string): string {
  const value = env[name];
  return value && isAbsolute(value) ? value : join(homedir(), otherwise);
}

export function stateDirectory(env: Env): string {
  return join(base(env, "XDG_STATE_HOME", ".local/state"), "fairlead");
}

export function settingsFile(env: Env): string {
  return join(settingsDirectory(env), "ctl.yaml");
}

/** Where this user's own agent finds how it gets into its fleet. */
export function credentialsFile(env: Env): string {
  return join(settingsDirectory(env), "credentials.json");
}

function settingsDirectory(env: Env): string {
  return join(base(env, "XDG_CONFIG_HOME", ".config"), "fairlead");
}

/** `undefined` when no agent of this user has left its address. Throws when the file is not to be trusted or not understood. */
export async function findLocalAgent(env: Env): Promise<LocalAgent | undefined> {
  const directory = stateDirectory(env);
  const path = join(directory, "agent.json");
  const text = await readPrivate(path);
  const { url, socket, pin } = text ? parseAgentFile(text, path) : {};
  return url ? { url, socket, pin, path, readToken: () => readSecretFile(join(directory, "token")) } : undefined;
}

function parseAgentFile(text: string, path: string): Partial<z.infer<typeof AgentFile>> {
  try {
    return AgentFile.parse(JSON.parse(text));
  } catch (cause) {
    throw new Failure(`${path} is damaged. Start the agent again, and it writes a new one.`, { cause });
  }
}

/** `undefined` when there is no such file. */
export async function readSettings(env: Env): Promise<Settings | undefined> {
  const path = settingsFile(env);
  const file = readFile(path);
  if (!file) return undefined;
  // Loaded only here: few people have the file, and everybody would wait for the parser.
  const { parse } = await import("yaml");
  const settings = understand(() => Settings.parse(parse(file.text) ?? {}, { error: en().localeError }), path);
  if (settings.token !== undefined && file.mode & OTHERS)
    throw new Failure(
      `${path} holds a token and other users can read it (mode ${octal(file.mode)}). Run: chmod 600 ${path}`,
    );
  if (settings.token_file !== undefined) settings.token_file = resolve(dirname(path), settings.token_file);
  return { ...settings, path };
}

function understand<T>(read: () => T, path: string): T {
  try {
    return read();
  } catch (cause) {
    const words = cause instanceof z.core.$ZodError ? z.prettifyError(cause) : String(cause);
    throw new Failure(`${path} cannot be understood: ${words}`, { cause });
  }
}
