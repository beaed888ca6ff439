/** How long the first byte of a container's page takes on a kept connection. */

import type { Figure } from "../figure.ts";
import { firstByte } from "../probes/requests.ts";
import { betweenProxies } from "../proxies.ts";

const COUNT = 2_000;

export const proxyFirstByte: Figure = {
  about:
    "a container's page against nginx as reverse proxy, and against the bare http-proxy; one request after the other, median",
  measures: [
    { name: "proxy-first-byte", unit: "us", better: "lower", bound: 3.3 },
    { name: "proxy-first-byte-bare", unit: "us", better: "lower", bound: 1 },
  ],
  open: (stage) => betweenProxies(stage, (place) => firstByte(place, COUNT)),
};
