/** The host that the server stands on, or that stands beside it: its one-time token lies where its agent finds it. */

import type { StateDirectory } from "../../boot/state.ts";
import { wait } from "../../lib/wait.ts";
import type { BootstrapTokens } from "./bootstrap.ts";
import type { Nodes } from "./nodes.ts";

/** In the directory that both can read. */
const FILE = "token";
/** Milliseconds between two looks whether its agent has come. */
const LOOK_MS = 1_000;

export interface OwnHost {
  name: string;
  /** Shared with its agent. */
  directory: StateDirectory;
  /** Milliseconds that a token is good for. */
  lifetime: number;
}

export interface OwnHostParts extends OwnHost {
  nodes: Nodes;
  bootstrap: BootstrapTokens;
}

/**
 * Adds it, and puts a token there until its agent has come, anew before the one before ends. What this gives resolves then, or
 * when the signal aborts; called again after it has failed, it goes on.
 */
export function welcomeOwnHost({ name, directory, nodes, bootstrap, lifetime }: OwnHostParts) {
  let renew = 0;
  /** Not where its agent finds it yet. */
  let issued: string | undefined;
  return async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const found = await nodes.records.get(name);
      // Not before it reports: the answer to its token may have been lost, and then it asks with the same one again.
      if (found?.ready) return await directory.remove(FILE);
      if (!found?.keys.length && Date.now() >= renew) {
        const { uid } = found ?? (await nodes.add(name));
        issued = (await bootstrap.issue({ node: name, uid })).token;
        renew = Date.now() + lifetime / 2;
      }
      if (issued !== undefined) await directory.replace(FILE, `${issued}\n`);
      issued = undefined;
      await wait(LOOK_MS, signal);
    }
  };
}
