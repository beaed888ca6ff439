/** A container's page through the agent, through nginx and through the bare library, for as long as the contest lasts. */

import { freePort } from "../support/free-port.ts";
import { Running } from "./command.ts";
import { HTTP_PORT } from "./container/ports.ts";
import type { Contest } from "./figure.ts";
import { Nginx } from "./peers/nginx.ts";
import type { Place } from "./probes/requests.ts";
import { type Stage, WEB } from "./stage.ts";

/** Our sample counts twice: against nginx first, and then against the bare library. */
export async function betweenProxies(stage: Stage, sample: (place: Place) => Promise<number>): Promise<Contest> {
  const address = await stage.web();
  await using stack = new AsyncDisposableStack();
  const target = `${address}:${HTTP_PORT}`;
  const nginx = stack.use(await Nginx.start(target));
  const bare = await freePort();
  const args = [new URL("./peers/bare-proxy.ts", import.meta.url).pathname, `http://${target}`, String(bare)];
  const library = stack.use(new Running({ file: process.execPath, args }));
  await library.ready(/ready/);
  const place = await (await stage.ctl()).page(WEB, HTTP_PORT);
  const elsewhere = (port: number) => sample({ port, host: `127.0.0.1:${port}`, headers: "" });
  const owned = stack.move();
  return {
    ours: async () => {
      const taken = await sample(place);
      return [taken, taken];
    },
    peer: async () => [await elsewhere(nginx.port), await elsewhere(bare)],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
