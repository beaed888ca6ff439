/** Which program this is. */

import manifest from "../../package.json" with { type: "json" };

export const VERSION: string = manifest.version;
/** How it introduces itself to the other end of a connection. */
export const SOFTWARE = `ctl/${manifest.version}`;
