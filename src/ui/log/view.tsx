/** A log's tab: only the rows in view exist, new ones push in at the end, and scrolling up holds everything still. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { LogTab } from "../tab.ts";
import { LogBar } from "./bar.tsx";
import type { Book } from "./book.ts";
import { type Extent, useExtent, useFrame, useStillness } from "./hooks.ts";
import { Row } from "./row.tsx";

/** Pixels of one row, the same for all: that is what makes any number of rows cheap. */
const ROW = 20;
/** Rows drawn above and below the view, so that scrolling shows no blanks. */
const OVERSCAN = 20;

export function LogView({ tab }: { tab: LogTab }) {
  const { follow } = tab;
  const view = useRef<HTMLDivElement>(null);
  const extent = useSignal<Extent>({ top: 0, height: 0 });
  const times = useSignal(false);

  useEffect(() => void follow.run(), [follow]);
  useFrame(follow.revision);
  useExtent(view, extent, follow.paused);
  useStillness(view, tab, ROW);

  const onScroll = () => {
    const element = view.current;
    if (!element || element.clientHeight === 0) return;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - ROW;
    // Only going up pauses: a view that grew, or is shown again, is behind without anybody wanting it.
    if (atEnd && follow.paused.peek()) follow.pause(false);
    else if (!atEnd && element.scrollTop < extent.peek().top) follow.pause(true);
    extent.value = { top: element.scrollTop, height: element.clientHeight };
  };
  const toEnd = () => {
    follow.pause(false);
    view.current?.scrollTo({ top: view.current.scrollHeight });
  };

  const lines = follow.book.shown;
  const first = Math.max(0, Math.floor(extent.value.top / ROW) - OVERSCAN);
  const last = Math.ceil((extent.value.top + extent.value.height) / ROW) + OVERSCAN;
  return (
    <div class="log">
      <LogBar tab={tab} times={times} toEnd={toEnd} />
      <Missing book={follow.book} />
      <div
        class="scroller"
        ref={view}
        onScroll={onScroll}
        tabIndex={0}
        role="region"
        aria-label={`Log of ${tab.container.name}`}
      >
        <div class="space" style={{ height: `${lines.length * ROW}px` }}>
          <ol style={{ transform: `translateY(${first * ROW}px)`, "--row": `${ROW}px` }}>
            {lines.slice(first, last).map((line, index) => (
              <Row key={first + index} line={line} times={times.value} />
            ))}
          </ol>
        </div>
      </div>
    </div>
  );
}

/** Why less is shown than one may look for. */
function Missing({ book }: { book: Book }) {
  const none = book.isFiltered && book.shown.length === 0;
  return (
    <>
      {book.dropped > 0 && (
        <p class="rest">{`Of this log ${book.dropped} older lines are not kept here; ctl logs has them.`}</p>
      )}
      {none && <p class="nothing">None matches.</p>}
    </>
  );
}
