/** Tells watchers of changes; one that is slow finds the newest of each key when it comes back. */

import type { Change } from "./storage.ts";

interface Watcher {
  prefix: string;
  /** Not fetched yet: the newest change of each key. */
  pending: Map<string, Change>;
  wake: () => void;
}

export class Changes {
  readonly #watchers = new Set<Watcher>();

  tell(change: Change): void {
    for (const watcher of this.#watchers) {
      if (!change.key.startsWith(watcher.prefix)) continue;
      watcher.pending.delete(change.key);
      watcher.pending.set(change.key, change);
      watcher.wake();
    }
  }

  /** From this call on, not from the first look. */
  watch(prefix: string, signal: AbortSignal): AsyncIterable<Change> {
    const watcher: Watcher = { prefix, pending: new Map(), wake: () => {} };
    if (!signal.aborted) this.#watchers.add(watcher);
    signal.addEventListener(
      "abort",
      () => {
        this.#watchers.delete(watcher);
        watcher.wake();
      },
      { once: true },
    );
    return drain(watcher, signal);
  }
}

async function* drain(watcher: Watcher, signal: AbortSignal): AsyncGenerator<Change, void, void> {
  while (!signal.aborted) {
    const batch = [...watcher.pending.values()];
    watcher.pending.clear();
    yield* batch;
    if (watcher.pending.size > 0 || signal.aborted) continue;
    await new Promise<void>((resolve) => {
      watcher.wake = resolve;
    });
  }
}
