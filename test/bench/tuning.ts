/** How Node runs what moves bulk: as bin/lib/launch.sh gives it to the agent and to `ctl port-forward`. */

import { NODE_FLAGS } from "../support/node.ts";

export const TUNING = [
  "--max-semi-space-size=4",
  ...NODE_FLAGS,
  "--external-memory-accounted-in-global-limit",
  "--initial-old-space-size=64",
  "--single-threaded-gc",
  "--invocation-count-for-maglev=100",
  "--invocation-count-for-turbofan=300",
] as const;
