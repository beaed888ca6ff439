/** How much one forwarded connection carries through a server. */

import type { Figure } from "../figure.ts";
import { IPERF_PORT, type Load, throughput } from "../probes/iperf.ts";
import { betweenForwardedWays } from "../ways.ts";

const SECONDS = 4;

export const relayThroughput = figure("down", "relay-throughput");
export const relayThroughputUp = figure("up", "relay-throughput-up");

function figure(direction: Load["direction"], name: string): Figure {
  const where = direction === "up" ? "into" : "out of";
  return {
    about: `ctl port-forward through a server against the same directly to the agent, iperf3 ${where} the container`,
    measures: [{ name, unit: "Gbit/s", better: "higher", bound: 0.6 }],
    open: (stage) =>
      betweenForwardedWays(stage, IPERF_PORT, (port) => throughput({ port, direction, seconds: SECONDS })),
  };
}
