/** How much one connection carries through a forward out of the container. */

import { betweenForwards } from "../contest.ts";
import type { Figure } from "../figure.ts";
import { IPERF_PORT, throughput } from "../probes/iperf.ts";

const SECONDS = 4;
const sample = (port: number) => throughput({ port, direction: "down", seconds: SECONDS });

export const forwardDown: Figure = {
  about: "ctl port-forward against ssh -L, iperf3 out of the container",
  measures: [{ name: "forward-down", unit: "Gbit/s", better: "higher", bound: 1 }],
  open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, sample }),
};

export const tlsForwardDown: Figure = {
  about: "the same to an agent with TLS, iperf3 out of the container",
  measures: [{ name: "tls-forward-down", unit: "Gbit/s", better: "higher", bound: 0.8 }],
  open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, ours: "secure", sample }),
};

export const bareForwardDown: Figure = {
  about: "two programs of Node's that only pass bytes on against ssh -L, iperf3 out of the container",
  measures: [{ name: "bare-forward-down", unit: "Gbit/s", better: "higher" }],
  open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, ours: "bare", sample }),
};

export const bareTlsForwardDown: Figure = {
  about: "the same with TLS between the two, iperf3 out of the container",
  measures: [{ name: "bare-tls-forward-down", unit: "Gbit/s", better: "higher" }],
  open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, ours: "bare-secure", sample }),
};
