/** Everything that comes in from outside passes a schema here first. */

import { z } from "zod";
import { FairleadError } from "../protocol/errors.ts";

export const NoQuery = z.strictObject({});

/** For what is asked by load balancers and monitors, which add what they like. */
export const AnyQuery = z.object({});

/** What the schema makes of the value; throws `bad-request` that says which part is wrong, without repeating the value. */
export function parseInput<T>(schema: z.core.$ZodType<T>, value: unknown): T {
  const result = z.safeParse(schema, value);
  if (result.success) return result.data;
  const parts = new Set(result.error.issues.map(wordsOf));
  throw new FairleadError("bad-request", `The request is not as described: see ${[...parts].join("; ")}.`);
}

/** Words of the schema's own begin with "must": others could hold the value. */
function wordsOf({ path, message, code }: z.core.$ZodIssue): string {
  const part = path.join(".") || "the whole";
  if (code === "unrecognized_keys") return `${part}, which has a part that is not known`;
  return message.startsWith("must ") ? `${part}, which ${message}` : part;
}
