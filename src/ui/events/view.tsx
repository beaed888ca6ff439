/** What happened to the hosts of the fleet, the newest first. */

import { useSignal } from "@preact/signals";
import { type FleetEvent, FleetEvents } from "../../protocol/events.ts";
import type { Account } from "../account.ts";
import { FeedNote } from "../feed-note.tsx";
import { Filter } from "../filter.tsx";
import { Headings } from "../headings.tsx";
import type { Source } from "../source.ts";
import { useFeed } from "../use-feed.ts";
import { mentions } from "../words.ts";

/** The server keeps more. */
const SHOWN = 500;

const EVENTS: Source<readonly FleetEvent[]> = {
  path: `/api/v1/events?watch=1&limit=${SHOWN}`,
  reader: () => {
    let events: readonly FleetEvent[] = [];
    return (line) => (events = [...events, ...FleetEvents.parse(line).events].slice(-SHOWN));
  },
};

export function EventsView({ account, shown }: { account: Account; shown: boolean }) {
  const feed = useFeed({ account, source: EVENTS, shown });
  const filter = useSignal("");
  const all = feed.list.value;
  const found = all?.filter(({ type, node = "", message }) => mentions([type, node, message], filter.value));
  return (
    <div class="records">
      <div class="toolbar">
        <Filter typed={filter} label="Filter events" />
        <FeedNote feed={feed} />
        {all?.length === SHOWN && <span class="quiet">The last {SHOWN}.</span>}
      </div>
      {found?.length === 0 && <p class="nothing">{all?.length === 0 ? "Nothing happened yet." : "None matches."}</p>}
      {found && found.length > 0 && <EventTable events={found.toReversed()} />}
    </div>
  );
}

function EventTable({ events }: { events: readonly FleetEvent[] }) {
  return (
    <table>
      <Headings names={["Time", "Host", "Event", "What happened"]} />
      <tbody>
        {events.map(({ seq, time, node, type, message }) => (
          <tr key={seq}>
            <td class="time">{new Date(time).toLocaleString()}</td>
            <td>{node}</td>
            <td class="event">{type}</td>
            <td>{message}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
