/** What the addresses of several routes have in common. */

import { z } from "zod";

/** A container, as an address names it. */
export const ContainerParams = z.strictObject({ ref: z.string().min(1).max(256) });
