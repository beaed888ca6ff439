/** The time until something happens, counted down on the page. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { age } from "../lib/age.ts";

/** `until` is in milliseconds since 1970. Screen readers are not told each second. */
export function Countdown({ until }: { until: number }) {
  const now = useSignal(Date.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), 1_000);
    return () => clearInterval(timer);
  }, [now]);
  const left = until - now.value;
  return <span aria-live="off">{left > 0 ? `in ${age(left + 999)}` : "now"}</span>;
}
