/** How a container's pages are opened in a browser. */

import * as z from "zod/mini";

/** An address that opens them, once. */
export const Invited = z.object({
  url: z.string(),
  expires: z.int().check(z.describe("Milliseconds since 1970.")),
});
export type Invited = z.infer<typeof Invited>;

/** The container whose pages they would be. */
export const Openable = z.object({ id: z.string(), name: z.string() });
export type Openable = z.infer<typeof Openable>;
