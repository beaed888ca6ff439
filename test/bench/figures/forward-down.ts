/** How much one connection carries through a forward out of the container. */

import { betweenForwards } from "../contest.ts";
import type { Figure } from "../figure.ts";
import { IPERF_PORT, throughput } from "../probes/iperf.ts";

const SECONDS = 4;

export const forwardDown: Figure = {
  about: "ctl port-forward against ssh -L, iperf3 out of the container",
  measures: [{ name: "forward-down", unit: "Gbit/s", better: "higher", bound: 1 }],
  open: (stage) =>
    betweenForwards(stage, IPERF_PORT, (port) => throughput({ port, direction: "down", seconds: SECONDS })),
};
