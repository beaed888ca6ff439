/** What `npm run bench` can be asked for. */

import { parseArgs } from "node:util";

const PAIRS = 5;
const QUICK_PAIRS = 2;

export const USAGE = `npm run bench -- [options] [figure...]
  --pairs N    pairs of samples for each figure (default ${PAIRS})
  --quick      ${QUICK_PAIRS} pairs: a first impression, not a result
  --json FILE  JSON lines into FILE instead of the standard output
  --list       what is compared with what
Exits 1 when a figure misses its bound or could not be taken, 2 for wrong arguments.`;

export interface Options {
  /** The figures to take: those asked for, or all. */
  names: readonly string[];
  pairs: number;
  json?: string;
  list: boolean;
  help: boolean;
}

/** Arguments that make no sense; the message says which. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export function parseOptions(args: string[], figures: readonly string[]): Options {
  const { values, positionals } = parse(args);
  const unknown = positionals.filter((name) => !figures.includes(name));
  if (unknown.length > 0) throw new UsageError(`no figure is called ${unknown.join(", ")}; --list names them`);
  const pairs = Number(values.pairs ?? (values.quick ? QUICK_PAIRS : PAIRS));
  if (!Number.isInteger(pairs) || pairs < 1) throw new UsageError("--pairs takes a whole number from 1");
  return {
    names: positionals.length > 0 ? positionals : figures,
    pairs,
    list: values.list ?? false,
    help: values.help ?? false,
    ...(values.json !== undefined && { json: values.json }),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        pairs: { type: "string" },
        quick: { type: "boolean" },
        json: { type: "string" },
        list: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
