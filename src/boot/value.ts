/** The kinds of value a setting can have: how each is read from a file, the environment or a flag, and how it is written. */

import { isIP } from "node:net";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { formatDuration, parseDuration } from "../lib/duration.ts";
import { HIDDEN, Secret } from "../lib/secret.ts";
import { formatSize, parseSize } from "../lib/size.ts";

/** What a JavaScript timer and a 32-bit counter hold: the upper end of every limit. */
const MAX_COUNT = 2 ** 31 - 1;
const MAX_TEXT = 4096;

/** One kind of value; `T` is what the program works with. */
export interface ValueType<T> {
  /** Reads a string of the environment or a flag as well as what YAML makes of a file. */
  schema: z.ZodType<T>;
  /** Completes the sentence "accepted: ...". */
  accepts: string;
  /** Stands for the value in `--help`, e.g. `URL`. */
  placeholder: string;
  /** A `switch` is a flag without a value; a `list` is a flag that may be repeated. */
  form?: "switch" | "list";
  /** As one would write it in a file. */
  show(value: T): unknown;
}

interface Range {
  min: number;
  max?: number;
}

/** YAML reads `9090` as a number and `"9090"` as text; both mean the same here. */
const scalar = z.union([z.string(), z.number()]).transform(String);

/** Makes a schema of a function that throws for what it refuses. */
function reads<T>(parse: (text: string) => T): z.ZodType<T> {
  return scalar.transform((text, context) => {
    try {
      return parse(text);
    } catch {
      // What is accepted is said once, by the setting.
      context.addIssue({ code: "custom" });
      return z.NEVER;
    }
  });
}

function inRange(value: number, { min, max = MAX_COUNT }: Range): number {
  if (!(value >= min && value <= max)) throw new RangeError("out of range");
  return value;
}

/** True or false, as people write them; an empty text is neither. */
export function toggle(): ValueType<boolean> {
  const words = z.stringbool({ truthy: ["true", "1", "yes", "on"], falsy: ["false", "0", "no", "off"] });
  const schema = z.union([z.boolean(), scalar.pipe(words)]);
  return { schema, accepts: "true or false (1/0, yes/no, on/off)", placeholder: "", form: "switch", show: same };
}

/** Any one line of text, also an empty one. A number in a YAML file must be quoted: `010` would otherwise become 10. */
export function text(placeholder = "TEXT"): ValueType<string> {
  return { schema: line(), accepts: "text (in a file, put numbers into quotes)", placeholder, show: same };
}

/** One of these words. */
export function choice<const T extends string>(...words: [T, ...T[]]): ValueType<T> {
  const [last, ...others] = words.toReversed();
  const accepts = `${others.toReversed().join(", ")} or ${last}`;
  return { schema: z.enum(words), accepts, placeholder: "WORD", show: same };
}

/** A path; `~` is the shell's business and would make a directory of that name. */
export function path(): ValueType<string> {
  const schema = line().refine((value) => !value.startsWith("~"));
  return { schema, accepts: "a path, written out (no ~)", placeholder: "PATH", show: same };
}

export function integer(range: Range): ValueType<number> {
  const schema = reads((value) => inRange(/^[+-]?\d{1,16}$/.test(value) ? Number(value) : Number.NaN, range));
  return { schema, accepts: `a whole number ${between(range, String)}`, placeholder: "N", show: same };
}

/** 0 asks the system for a free one. */
export function port(): ValueType<number> {
  return { ...integer({ min: 0, max: 65_535 }), accepts: "a port from 0 (any free one) to 65535", placeholder: "PORT" };
}

/** Milliseconds, written as Go does. */
export function duration(range: Range): ValueType<number> {
  const schema = reads((value) => inRange(parseDuration(value), range));
  const accepts = `a duration such as 30s, 2m30s or 1.5h, ${between(range, formatDuration)}`;
  return { schema, accepts, placeholder: "DURATION", show: formatDuration };
}

/** Bytes. */
export function size(range: Range): ValueType<number> {
  const limits = { max: Number.MAX_SAFE_INTEGER, ...range };
  const schema = reads((value) => inRange(parseSize(value), limits));
  const accepts = `a size such as 65536, 64m or 64MiB, ${between(range, formatSize)}`;
  return { schema, accepts, placeholder: "SIZE", show: formatSize };
}

/** A URL of one of these schemes and without a password in it, or nothing. */
export function url(...schemes: string[]): ValueType<string> {
  const schema = line().refine((value) => value === "" || isUrl(value, schemes));
  const accepts = `a URL starting with ${schemes.map((scheme) => `${scheme}://`).join(", ")}, without a password, or ""`;
  return { schema, accepts, placeholder: "URL", show: same };
}

/** An address or host name to listen on; never empty, which would mean every interface. */
export function address(): ValueType<string> {
  const schema = line().refine((value) => isIP(value) !== 0 || /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(value));
  return { schema, accepts: "an IP address or a host name", placeholder: "ADDRESS", show: same };
}

/** Several values: a YAML list, or text with commas or spaces between them. */
export function list(item: z.ZodType<string>, accepts: string, placeholder: string): ValueType<string[]> {
  const schema = z.preprocess(
    (raw) => (typeof raw === "string" ? raw.split(/[\s,]+/).filter(Boolean) : raw),
    z.array(item),
  );
  return { schema, accepts: `a list of ${accepts}`, placeholder, form: "list", show: same };
}

/** Something with parts: YAML in a file, the same (or JSON) as text elsewhere. `show` must hide what is secret. */
export function data<T>(schema: z.ZodType<T>, accepts: string, show: (value: T) => unknown): ValueType<T> {
  const parts = z.preprocess((raw, context) => {
    if (typeof raw !== "string") return raw;
    try {
      return raw.trim() === "" ? [] : parseYaml(raw, { logLevel: "error", prettyErrors: false });
    } catch {
      context.addIssue({ code: "custom", message: "not valid YAML" });
      return z.NEVER;
    }
  }, schema);
  return { schema: parts, accepts, placeholder: "YAML", show };
}

/** The same or nothing, which is written as an empty text. */
export function optional<T>(type: ValueType<T>): ValueType<T | undefined> {
  const nothing = z.literal("").transform(() => undefined);
  return {
    ...type,
    schema: z.union([nothing, type.schema]),
    accepts: `${type.accepts}, or ""`,
    show: (value) => (value === undefined ? "" : type.show(value)),
  };
}

/** A text that is never shown; an empty one means none. */
export function secret(): ValueType<Secret | undefined> {
  const schema = line().transform((value) => (value === "" ? undefined : new Secret(value)));
  return { schema, accepts: "one line of text", placeholder: "SECRET", show: (value) => (value ? HIDDEN : "") };
}

function line(): z.ZodType<string, string> {
  // Control characters in a name or path are a mistake, or an attack on whoever reads the log.
  return z
    .string()
    .max(MAX_TEXT)
    .refine((value) => !/\p{Cc}/u.test(value));
}

function isUrl(value: string, schemes: readonly string[]): boolean {
  const parsed = URL.parse(value);
  return parsed !== null && schemes.includes(parsed.protocol.slice(0, -1)) && parsed.password === "";
}

function between({ min, max }: Range, show: (value: number) => string): string {
  return max === undefined ? `from ${show(min)}` : `from ${show(min)} to ${show(max)}`;
}

function same(value: unknown): unknown {
  return value;
}
