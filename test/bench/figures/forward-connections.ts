/** How many connections a second a forward takes as far as their first byte. */

import { betweenForwards } from "../contest.ts";
import { GREET_PORT } from "../container/ports.ts";
import type { Figure } from "../figure.ts";
import { connectionRate } from "../probes/connections.ts";

const COUNT = 1_000;

const sample = (port: number) => connectionRate(port, COUNT);

export const forwardConnections: Figure = {
  about: "ctl port-forward against ssh -L, new connection and first byte, one after the other",
  measures: [{ name: "forward-connections", unit: "1/s", better: "higher", bound: 1 }],
  open: (stage) => betweenForwards(stage, { remote: GREET_PORT, sample }),
};

export const bareForwardConnections: Figure = {
  about: "two programs of Node's that only pass bytes on against ssh -L, new connection and first byte",
  measures: [{ name: "bare-forward-connections", unit: "1/s", better: "higher" }],
  open: (stage) => betweenForwards(stage, { remote: GREET_PORT, ours: "bare", sample }),
};
