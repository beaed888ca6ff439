/** How long one byte takes through a forward to a service that gives it back, and home again. */

import { betweenForwards } from "../contest.ts";
import { ECHO_PORT } from "../container/ports.ts";
import type { Figure } from "../figure.ts";
import { dial, roundTrips } from "../probes/echo.ts";
import { median } from "../statistics.ts";

const COUNT = 2_000;

export const forwardLatency: Figure = {
  about: "ctl port-forward against ssh -L, one byte there and back, median",
  measures: [{ name: "forward-latency", unit: "us", better: "lower", bound: 1.5 }],
  open: (stage) => betweenForwards(stage, { remote: ECHO_PORT, sample: roundTrip }),
};

export const bareForwardLatency: Figure = {
  about: "two programs of Node's that only pass bytes on against ssh -L, one byte there and back, median",
  measures: [{ name: "bare-forward-latency", unit: "us", better: "lower" }],
  open: (stage) => betweenForwards(stage, { remote: ECHO_PORT, ours: "bare", sample: roundTrip }),
};

async function roundTrip(port: number): Promise<number> {
  const socket = await dial(port);
  const times = await roundTrips({ input: socket, output: socket }, { count: COUNT, pause: 0 });
  socket.destroy();
  return median(times);
}
