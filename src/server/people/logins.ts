/** One-time logins that are asked for on the server's own machine, for an administrator who has no token any more. */

import { access } from "node:fs/promises";
import * as z from "zod/mini";
import { codeKey, CODE_MS, type Codes, newCode } from "../../auth/codes.ts";
import type { Subject } from "../../auth/grant.ts";
import { StartError } from "../../boot/run.ts";
import { wait } from "../../lib/wait.ts";
import { Shelf } from "../store/shelf.ts";
import { SqliteStorage } from "../store/sqlite.ts";
import type { Storage } from "../store/storage.ts";
import type { Upkeep } from "../upkeep.ts";

/** How late, in milliseconds, a running server knows of a login. */
const LOOK_MS = 500;
/** How long a command waits for it to know, and how often it looks, in milliseconds. */
const PATIENCE_MS = 3_000;
const ASK_MS = 50;

/** Of the code only its digest, which is the entry's name. */
const LoginRecord = z.object({ expires: z.number() });
/** Where the server was last reached. */
const PlaceRecord = z.object({ url: z.string(), pin: z.optional(z.string()) });
export type ServerPlace = z.infer<typeof PlaceRecord>;

const PLACE = "last";

function shelves(storage: Storage) {
  const mend = () => "Ask for another one with: fairlead server login";
  return {
    logins: new Shelf(storage, { name: "login", schema: LoginRecord, mend }),
    places: new Shelf(storage, { name: "place", schema: PlaceRecord, mend: () => "The next start mends it." }),
  };
}

/** For commands: where this server is met. */
export async function announce(storage: Storage, place: ServerPlace): Promise<void> {
  await shelves(storage).places.set(PLACE, place);
}

export interface NewLogin {
  code: string;
  place: ServerPlace | undefined;
  /** Whether a running server knows the code. */
  known: boolean;
}

/**
 * Beside the server, on its database: whoever may write there may do everything in any case. Throws with words where there is
 * no database.
 */
export async function newLogin(database: string): Promise<NewLogin> {
  await access(database).catch((cause: unknown) => {
    throw new StartError(`There is no ${database}: name the server's data_dir, or start the server first.`, { cause });
  });
  const storage = SqliteStorage.open(database);
  try {
    const { logins, places } = shelves(storage);
    const code = newCode();
    await logins.create(codeKey(code), { expires: Date.now() + CODE_MS });
    const [place] = await places.list();
    return { code, place, known: await isTaken(codeKey(code), logins) };
  } finally {
    await storage.close();
  }
}

async function isTaken(key: string, logins: Shelf<unknown>): Promise<boolean> {
  const late = AbortSignal.timeout(PATIENCE_MS);
  while (!late.aborted) {
    if ((await logins.get(key)) === undefined) return true;
    await wait(ASK_MS, late);
  }
  return false;
}

/** Makes them good at the running server, in the name of `issuer`. */
export function admitLogins(
  storage: Storage,
  { codes, issuer }: { codes: Codes; issuer: Subject },
  upkeep: Upkeep,
): void {
  const { logins } = shelves(storage);
  upkeep.every(LOOK_MS, "letting in who asked on this machine (fairlead server login)", async () => {
    for (const { id } of await logins.entries()) {
      const login = await logins.take(id);
      if (login?.document) codes.admit(id, { issuer, lifetime: login.document.expires - Date.now() });
    }
  });
}
