/** The key by which agents know this server's word, made once and kept with everything else that must not be lost. */

import * as z from "zod/mini";
import { newKey, type SigningKey, signingKey } from "../../auth/keys.ts";
import type { StateDirectory } from "../../boot/state.ts";
import { Shelf } from "../store/shelf.ts";
import type { Storage } from "../store/storage.ts";

const NAME = "grant";
/** Where servers before 0.1.0 was released kept it: beside the database, so that no backup had it. */
const FORMER_FILE = "grant-key.pem";
const KeyRecord = z.object({ pem: z.string() });

/** A server that goes on from a backup has the one that its agents know. */
export async function openGrantKey(storage: Storage, state: StateDirectory): Promise<SigningKey> {
  const shelf = new Shelf(storage, "key", KeyRecord);
  const former = await state.read(FORMER_FILE);
  await shelf.create(NAME, { pem: former ?? newKey().pem });
  if (former !== undefined) await state.remove(FORMER_FILE);
  return signingKey((await shelf.get(NAME))?.pem ?? "");
}
