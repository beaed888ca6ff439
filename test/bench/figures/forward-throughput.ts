/** How much one connection carries through a forward, either way. */

import { betweenForwards, type Ours } from "../contest.ts";
import type { Figure, Measure } from "../figure.ts";
import { IPERF_PORT, throughput } from "../probes/iperf.ts";

const SECONDS = 4;
const WAYS = { up: "iperf3 into the container", down: "iperf3 out of the container" } as const;
type Direction = keyof typeof WAYS;

interface Kind {
  about: string;
  prefix: string;
  ours: Ours;
  bound?: Measure["bound"];
}

const PLAIN: Kind = { about: "ctl port-forward against ssh -L", prefix: "", ours: "ctl", bound: 1 };
const TLS: Kind = { about: "the same to an agent with TLS", prefix: "tls-", ours: "secure", bound: 0.8 };
const BARE: Kind = {
  about: "two programs of Node's that only pass bytes on against ssh -L",
  prefix: "bare-",
  ours: "bare",
};
const BARE_TLS: Kind = { about: "the same with TLS between the two", prefix: "bare-tls-", ours: "bare-secure" };

export const forwardThroughput = [PLAIN, TLS].flatMap(bothWays);
export const bareForwardThroughput = [BARE, BARE_TLS].flatMap(bothWays);

function bothWays(kind: Kind): Figure[] {
  return [figureOf(kind, "up"), figureOf(kind, "down")];
}

function figureOf({ about, prefix, ours, bound }: Kind, direction: Direction): Figure {
  const sample = (port: number) => throughput({ port, direction, seconds: SECONDS });
  const measure: Measure = { name: `${prefix}forward-${direction}`, unit: "Gbit/s", better: "higher" };
  return {
    about: `${about}, ${WAYS[direction]}`,
    measures: [bound === undefined ? measure : { ...measure, bound }],
    open: (stage) => betweenForwards(stage, { remote: IPERF_PORT, ours, sample }),
  };
}
