/** A feed that goes on for as long as somebody looks at it: a browser has few connections for all its tabs. */

import { useEffect, useMemo } from "preact/hooks";
import type { Account } from "./account.ts";
import { Feed } from "./feed.ts";
import type { Source } from "./source.ts";

export interface UseFeedOptions<T> {
  account: Account;
  /** One with another path is another feed. */
  source: Source<T>;
  shown: boolean;
}

export function useFeed<T>({ account, source, shown }: UseFeedOptions<T>): Feed<T> {
  const feed = useMemo(() => new Feed(account, source), [account, source.path]);
  useEffect(() => {
    if (!shown) return undefined;
    const stop = new AbortController();
    void feed.run(stop.signal);
    return () => stop.abort();
  }, [feed, shown]);
  return feed;
}
