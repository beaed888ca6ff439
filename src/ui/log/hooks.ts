/** What the log view needs from the browser: one drawing a frame, the size of the view, and standing still while lines come and go. */

import type { Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LogTab } from "../tab.ts";

/** The signal's value as of the last frame: however often it changes, the component is drawn once a frame. */
export function useFrame(source: Signal<number>): number {
  const [drawn, draw] = useState(source.peek());
  useEffect(() => {
    let asked = 0;
    const stop = source.subscribe(() => {
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        draw(source.peek());
      });
    });
    return () => {
      stop();
      cancelAnimationFrame(asked);
    };
  }, [source]);
  return drawn;
}

/** What part of its content a scrolled element shows, in pixels. */
export interface Extent {
  top: number;
  height: number;
}

/** Keeps `extent` true when the element's size changes, and the element where it was when it is shown again: at the end, or paused. */
export function useExtent(view: RefObject<HTMLElement | null>, extent: Signal<Extent>, paused: Signal<boolean>): void {
  useEffect(() => {
    const element = view.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => {
      if (element.clientHeight === 0) return;
      element.scrollTop = paused.peek() ? extent.peek().top : element.scrollHeight;
      extent.value = { top: element.scrollTop, height: element.clientHeight };
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [view, extent, paused]);
}

/** After each drawing: at the end while following; while paused the same lines stay where they are, though older ones have gone. */
export function useStillness(view: RefObject<HTMLElement | null>, tab: LogTab, row: number): void {
  const dropped = useRef(0);
  useLayoutEffect(() => {
    const element = view.current;
    if (!element) return;
    const { book, paused } = tab.follow;
    const gone = book.shownDropped - dropped.current;
    dropped.current = book.shownDropped;
    if (!paused.peek()) element.scrollTop = element.scrollHeight;
    else if (gone > 0) element.scrollTop -= gone * row;
  });
}
