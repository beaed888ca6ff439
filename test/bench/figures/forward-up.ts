/** How much one connection carries through a forward into the container. */

import { betweenForwards } from "../contest.ts";
import type { Figure } from "../figure.ts";
import { IPERF_PORT, throughput } from "../probes/iperf.ts";

const SECONDS = 4;
const sample = (port: number) => throughput({ port, direction: "up", seconds: SECONDS });

export const forwardUp: Figure = {
  about: "ctl port-forward against ssh -L, iperf3 into the container",
  measures: [{ name: "forward-up", unit: "Gbit/s", better: "higher", bound: 1 }],
  open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, sample }),
};

export const tlsForwardUp: Figure = {
  about: "the same to an agent with TLS, iperf3 into the container",
  measures: [{ name: "tls-forward-up", unit: "Gbit/s", better: "higher", bound: 0.8 }],
  open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, ours: "secure", sample }),
};

export const bareForwardUp: Figure = {
  about: "two programs of Node's that only pass bytes on against ssh -L, iperf3 into the container",
  measures: [{ name: "bare-forward-up", unit: "Gbit/s", better: "higher" }],
  open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, ours: "bare", sample }),
};

export const bareTlsForwardUp: Figure = {
  about: "the same with TLS between the two, iperf3 into the container",
  measures: [{ name: "bare-tls-forward-up", unit: "Gbit/s", better: "higher" }],
  open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, ours: "bare-secure", sample }),
};
