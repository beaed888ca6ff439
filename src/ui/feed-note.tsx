/** Says whether the list is up to date, and if not, why and until when. */

import { Countdown } from "./countdown.tsx";
import { Note } from "./note.tsx";
import type { Feed } from "./feed.ts";

export function FeedNote<T>({ feed }: { feed: Feed<T> }) {
  const state = feed.state.value;
  const shown = feed.list.value !== undefined;
  if (state.state === "live") return <Note look="live">Live</Note>;
  if (state.state === "connecting") return <Note>{shown ? "Connecting again …" : "Loading …"}</Note>;
  return (
    <Note look="broken">
      <span>
        {state.error.message} {shown && "The list may be out of date. "}
        Next try <Countdown until={state.until} />.
      </span>
      <button onClick={() => feed.retryNow()}>Try now</button>
    </Note>
  );
}
