/** Says whether the list is up to date, and if not, why and until when. */

import { Countdown } from "../countdown.tsx";
import type { Feed } from "./feed.ts";

export function FeedNote({ feed }: { feed: Feed }) {
  const state = feed.state.value;
  const shown = feed.list.value !== undefined;
  if (state.state === "live") {
    return (
      <p class="note live" role="status">
        Live
      </p>
    );
  }
  if (state.state === "connecting") {
    return (
      <p class="note" role="status">
        {shown ? "Connecting again …" : "Loading …"}
      </p>
    );
  }
  return (
    <p class="note broken" role="status">
      <span>
        {state.error.message} {shown && "The list may be out of date. "}
        Next try <Countdown until={state.until} />.
      </span>
      <button onClick={() => feed.retryNow()}>Try now</button>
    </p>
  );
}
