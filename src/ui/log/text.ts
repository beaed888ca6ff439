/** Makes a log line safe to show: colours (SGR) become styled runs, every other control character becomes something visible. */

/** 0 to 255 of the usual palette, or `#rrggbb`. */
export type Colour = number | string;

export interface Style {
  fg?: Colour;
  bg?: Colour;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  inverse?: boolean;
}

export interface Run {
  text: string;
  style: Style;
}

const PLAIN: Style = {};

/** ESC [ parameters m; the bound keeps the scan linear. */
// oxlint-disable-next-line no-control-regex -- this character is what it is about
const SGR = /\x1b\[([0-9;:]{0,64})m/g;

/** C0 except tab, DEL, C1, and the characters that reorder or hide text. */
// oxlint-disable-next-line no-control-regex -- these characters are what it is about
const UNSAFE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

/** Each line starts plain: lines of two streams are interleaved and filtered, so a colour left on would spill at random. */
export function runs(line: string): Run[] {
  const found: Run[] = [];
  let style = PLAIN;
  let from = 0;
  for (const match of line.matchAll(SGR)) {
    add(found, line.slice(from, match.index), style);
    style = restyle(style, match[1] ?? "");
    from = match.index + match[0].length;
  }
  add(found, line.slice(from), style);
  return found;
}

/** The line as it reads: without colours, nothing hidden. What a filter is compared with. */
export function plain(line: string): string {
  return visible(line.replace(SGR, ""));
}

function add(found: Run[], text: string, style: Style): void {
  if (text !== "") found.push({ text: visible(text), style });
}

function visible(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    if (code === 0x7f) return "\u2421";
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

function restyle(before: Style, parameters: string): Style {
  const codes = parameters.split(/[;:]/).map(Number);
  let style: Style = { ...before };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1, i + 5));
      i += used;
      if (colour !== undefined) style[code === 38 ? "fg" : "bg"] = colour;
    } else style = code === 0 ? {} : apply(style, code);
  }
  return style;
}

/** `5;n` or `2;r;g;b` after 38 or 48, and how many parameters that were. */
function extended([kind, a = 0, b = 0, c = 0]: number[]): [colour: Colour | undefined, used: number] {
  if (kind === 5) return [a <= 255 ? a : undefined, 2];
  if (kind !== 2) return [undefined, 1];
  const hex = [a, b, c].map((part) => Math.min(part, 255).toString(16).padStart(2, "0"));
  return [`#${hex.join("")}`, 4];
}

const FLAGS: Record<number, Style> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underline: true },
  7: { inverse: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underline: false },
  27: { inverse: false },
};

function apply(style: Style, code: number): Style {
  const flag = FLAGS[code];
  if (flag) return { ...style, ...flag };
  if (code === 39) return without(style, "fg");
  if (code === 49) return without(style, "bg");
  if (code >= 30 && code <= 37) return { ...style, fg: code - 30 };
  if (code >= 40 && code <= 47) return { ...style, bg: code - 40 };
  if (code >= 90 && code <= 97) return { ...style, fg: code - 82 };
  if (code >= 100 && code <= 107) return { ...style, bg: code - 92 };
  return style;
}

function without(style: Style, key: "fg" | "bg"): Style {
  const { [key]: _, ...rest } = style;
  return rest;
}

const CUBE = [0, 95, 135, 175, 215, 255];

/** The CSS colour of a palette entry: the first sixteen follow the page's theme, the rest are the same everywhere. */
export function css(colour: Colour): string {
  if (typeof colour === "string") return colour;
  if (colour < 16) return `var(--ansi-${colour})`;
  if (colour >= 232) {
    const grey = 8 + (colour - 232) * 10;
    return `rgb(${grey} ${grey} ${grey})`;
  }
  const index = colour - 16;
  const level = (n: number) => CUBE[n] ?? 0;
  return `rgb(${level(Math.floor(index / 36))} ${level(Math.floor(index / 6) % 6)} ${level(index % 6)})`;
}
