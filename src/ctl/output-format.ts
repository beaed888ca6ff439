/** `-o`: the formats in which commands print what they list or show. */

import { Option } from "commander";
import { Table } from "./table.ts";

const FORMATS = ["json", "yaml", "name", "wide"] as const;
export type OutputFormat = (typeof FORMATS)[number];
/** For programs: everything that is known, in a form that they can read. */
export type DataFormat = "json" | "yaml";

/** Columns of a table. */
interface Columns<T> {
  headings: readonly string[];
  /** Characters that columns have at least: where rows come one by one, the first cannot know of the longest. */
  widths?: readonly number[];
  row(item: T): string[];
}

/** How things of one kind look in each format. */
export interface Listing<T> extends Columns<T> {
  /** More columns for -o wide; absent, there are no more. */
  wide?: Columns<T>;
  /** What names the thing on a command line; empty for what has no name, which `-o name` leaves out. */
  name(item: T): string;
}

/** How often a command prints: `again` is one more value of a stream, and has to be told from the next. */
type Occurrence = "once" | "again";

/** Quotes what YAML 1.1 would read as something else (`no`), breaks no long line, and repeats instead of referring. */
const YAML = { schema: "yaml-1.1", lineWidth: 0, aliasDuplicateObjects: false } as const;

/** The option, for a command that has all formats, or these alone. */
export function outputOption(formats: readonly OutputFormat[] = FORMATS): Option {
  return new Option("-o, --output <format>", "another format").choices(formats);
}

export function isData(format: OutputFormat | undefined): format is DataFormat {
  return format === "json" || format === "yaml";
}

/** A value with an end of line. Of a stream: one line of JSON, or a YAML document. */
export async function dataText(value: unknown, format: DataFormat, occurrence: Occurrence = "once"): Promise<string> {
  if (format === "json") return `${JSON.stringify(value, undefined, occurrence === "once" ? 2 : undefined)}\n`;
  // Loaded only here: everybody else would wait for it.
  const { stringify } = await import("yaml");
  return `${occurrence === "once" ? "" : "---\n"}${stringify(value, YAML)}`;
}

/** Puts lists into words; called again for a list that follows, it repeats no headings and keeps the columns. */
export function lister<T>(
  listing: Listing<T>,
  format: OutputFormat | undefined,
  occurrence: Occurrence = "once",
): (items: readonly T[]) => Promise<string> {
  if (isData(format)) return (items) => dataText(items, format, occurrence);
  if (format === "name")
    return async (items) =>
      namesOf(items, listing)
        .map((name) => `${name}\n`)
        .join("");
  const columns = (format === "wide" && listing.wide) || listing;
  const table = new Table(columns.headings, columns.widths);
  let headed: "headed" | "bare" = "headed";
  return async (items) => {
    const rows = items.map((item) => columns.row(item));
    const text = rows.length > 0 || headed === "headed" ? table.render(rows, headed) : "";
    headed = "bare";
    return text;
  };
}

function namesOf<T>(items: readonly T[], listing: Listing<T>): string[] {
  return items.map((item) => listing.name(item)).filter((name) => name !== "");
}
