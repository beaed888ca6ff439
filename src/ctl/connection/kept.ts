/** Small private files of the user's, written whole or not at all. */

import { rename } from "node:fs/promises";
import { dirname } from "node:path";
import { makePrivateDirectory, removeIfThere, wording, writeNew } from "../../boot/private-file.ts";

/** As JSON, for the user alone. */
export async function keep(path: string, value: object): Promise<void> {
  await wording(path, async () => {
    await makePrivateDirectory(dirname(path));
    await removeIfThere(`${path}.new`);
    await writeNew(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
    await rename(`${path}.new`, path);
  });
}
