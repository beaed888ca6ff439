/** Follows the engine from the start on, and tells the log when it goes and comes back. */

import type { Log } from "../boot/log.ts";
import { ownContainer } from "./runtime/docker/own-image.ts";
import type { Runtime } from "./runtime/runtime.ts";
import { Containers } from "./session/containers.ts";

interface EngineWatchOptions {
  runtime: Runtime;
  /** Its address, for the log. */
  engine: string;
  node: string;
  log: Log;
  /** Aborted when the program is told to end. */
  stopping: AbortSignal;
}

/** The containers, kept current. The first time that the engine answers, what an earlier agent left behind is ended. */
export function watchEngine({ runtime, engine, node, log, stopping }: EngineWatchOptions): Containers {
  let recovered = false;
  let away = false;
  return new Containers({
    runtime,
    node,
    own: ownContainer(),
    onEngine: (state) => {
      if (!state.ready) {
        if (!away) log.warn({ engine, err: state.error }, "the container engine does not answer; trying on");
        away = true;
        return;
      }
      log.info({ engine }, away ? "the container engine is back" : "the container engine answers");
      away = false;
      if (recovered) return;
      recovered = true;
      runtime
        .recover(stopping)
        .catch((error: unknown) => log.warn({ err: error }, "could not end what an earlier agent left"));
    },
  });
}
