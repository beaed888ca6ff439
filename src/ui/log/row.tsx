/** One line of a log: only text nodes and styles that we computed, never markup from the container. */

import { Fragment } from "preact";
import type { Line } from "./lines.ts";
import { css, runs, type Style } from "./text.ts";

export function Row({ line, times }: { line: Line; times: boolean }) {
  return (
    <li class={`line ${line.from}`}>
      {times && <time title={line.time}>{local(line.time)} </time>}
      <span class="mark">{line.from === "stderr" ? "err" : ""}</span>
      {runs(line.text).map(({ text, style }, index) =>
        Object.keys(style).length === 0 ? (
          <Fragment key={index}>{text}</Fragment>
        ) : (
          <span key={index} style={styled(style)}>
            {text}
          </span>
        ),
      )}
    </li>
  );
}

function styled({ fg, bg, bold, dim, italic, underline, inverse }: Style): Record<string, string> {
  const front = fg === undefined ? undefined : css(fg);
  const back = bg === undefined ? undefined : css(bg);
  const color = inverse ? (back ?? "var(--ground)") : front;
  const background = inverse ? (front ?? "var(--ink)") : back;
  return {
    ...(color && { color }),
    ...(background && { background }),
    ...(bold && { fontWeight: "600" }),
    ...(dim && { opacity: "0.7" }),
    ...(italic && { fontStyle: "italic" }),
    ...(underline && { textDecoration: "underline" }),
  };
}

/** The reader's own clock to the millisecond; the exact stamp is in the title. */
function local(time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) return "";
  const two = (n: number) => String(n).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${clock}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
