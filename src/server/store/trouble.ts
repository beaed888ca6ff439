/** What is wrong with the database, told to whoever runs the server: each thing once. */

import type { Log } from "../../boot/log.ts";

/** Changes cannot be written, and why; they can again; a value cannot be understood, and why. */
export type StorageTrouble = { broken: string } | { mended: true } | { damaged: string; why: string };

export function tellTrouble(log: Pick<Log, "warn" | "error">): (trouble: StorageTrouble) => void {
  return (trouble) => {
    if ("broken" in trouble)
      log.error({ reason: trouble.broken }, "changes are refused until the database can be written; all else goes on");
    else if ("mended" in trouble) log.warn("the database can be written again");
    else tellDamaged(log, trouble);
  };
}

function tellDamaged(log: Pick<Log, "error">, { damaged: key, why }: { damaged: string; why: string }): void {
  const [shelf] = key.split("/", 1);
  log.error({ shelf, key, why }, "a record in the database cannot be understood: it is left out, and stays there");
}
