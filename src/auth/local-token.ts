/** The agent's own random token: what a client on the same machine, run by the same user, finds without being told. */

import { newSecret } from "./secret.ts";

/** One private file; `boot`'s state directory makes sure that nobody else can read it. */
export interface SecretFile {
  read(): Promise<string | undefined>;
  /** `false` when it already exists. */
  create(text: string): Promise<boolean>;
}

/** Reads the token, making the file first where there is none. Throws when it is empty: an empty secret is no secret. */
export async function localToken(file: SecretFile): Promise<string> {
  const fresh = newSecret();
  if (await file.create(`${fresh}\n`)) return fresh;
  const token = (await file.read())?.trim();
  if (!token) throw new Error("The agent's token file is empty; remove it and start again, and a new one is made.");
  return token;
}
