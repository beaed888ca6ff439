/** The key by which agents know this server's word, made once and kept with everything else that must not be lost. */

import * as z from "zod/mini";
import { newKey, type SigningKey, signingKey } from "../../auth/keys.ts";
import type { StateDirectory } from "../../boot/state.ts";
import { Shelf } from "../store/shelf.ts";
import type { Storage } from "../store/storage.ts";

const NAME = "grant";
/** Where servers before 0.1.0 was released kept it: beside the database, so that no backup had it. */
const FORMER_FILE = "grant-key.pem";
const KeyRecord = z.object({ pem: z.string().check(z.refine(isKey, "it is no key")) });
/** Another key in its place would be one that no agent believes: nothing but the old one helps. */
const MEND =
  "It is the key by which hosts know this server, which does not start without it: go back to a backup of server.db. Where there is none, remove the record with sqlite3 (DELETE FROM entries WHERE key = 'key/grant'), and add every host again.";

/** A server that goes on from a backup has the one that its agents know. Throws `damaged-record`. */
export async function openGrantKey(storage: Storage, state: StateDirectory): Promise<SigningKey> {
  const shelf = new Shelf(storage, { name: "key", schema: KeyRecord, mend: () => MEND });
  const former = await state.read(FORMER_FILE);
  const known = await shelf.get(NAME);
  if (!known) await shelf.create(NAME, { pem: former ?? newKey().pem });
  if (former !== undefined) await state.remove(FORMER_FILE);
  return signingKey((known ?? (await shelf.get(NAME)))?.pem ?? "");
}

function isKey(pem: string): boolean {
  try {
    return signingKey(pem).pem !== "";
  } catch {
    return false;
  }
}
