/** Long lists, of which only the beginning is drawn until somebody comes to its end. */

import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";

/** How many are drawn: `step` at first, and again whenever `what` is another list. */
export function useDrawn(step: number, what: unknown): Signal<number> {
  return useMemo(() => signal(step), [step, what]);
}

export interface MoreProps {
  /** How many are not drawn. */
  left: number;
  step: number;
  drawn: Signal<number>;
}

/** Stands after the last one that is drawn, and draws more when it comes into sight. */
export function More({ left, step, drawn }: MoreProps) {
  const end = useRef<HTMLButtonElement>(null);
  const draw = () => (drawn.value += step);
  useEffect(() => {
    const sight = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) draw();
    });
    if (end.current) sight.observe(end.current);
    return () => sight.disconnect();
  }, [left, drawn]);
  if (left <= 0) return null;
  return (
    <button class="rest" ref={end} onClick={draw}>
      {left} more
    </button>
  );
}
