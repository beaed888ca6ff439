/** What the addresses of several routes have in common. */

import { z } from "zod";
import { parseTime } from "../../lib/time.ts";
import { FairleadError } from "../../protocol/errors.ts";

/** A container, as an address names it. */
export const ContainerParams = z.strictObject({
  ref: z.string().min(1, "must name a container").max(256, "must be at most 256 characters"),
});

const MAX_PORT = 65_535;
const PORT = `must be a port from 1 to ${MAX_PORT}`;

/** A TCP port, as an address names it. */
export const PortText = z
  .stringFormat("port", /^[1-9]\d{0,4}$/, PORT)
  .transform(Number)
  .pipe(z.number().max(MAX_PORT, PORT));

/** A time in an address, as `seconds.nanoseconds`. Throws `bad-request` that names the parameter. */
export function timeOf(name: string, text: string): string {
  try {
    return parseTime(text, Date.now());
  } catch {
    const forms = "a duration such as 10m, a time such as 2024-05-01T10:00:00Z, or Unix seconds";
    throw new FairleadError("bad-request", `${name}: write ${forms}.`);
  }
}
