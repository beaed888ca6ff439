/** How many small requests a second a container's page takes over kept connections. */

import type { Figure } from "../figure.ts";
import { requestRate } from "../probes/requests.ts";
import { betweenProxies } from "../proxies.ts";

const LOAD = { connections: 16, count: 20_000 };

export const proxyRequests: Figure = {
  about:
    "a container's page against nginx as reverse proxy, and against the bare http-proxy; small answers, kept connections",
  measures: [
    // nginx is C, and uses every processor.
    { name: "proxy-requests", unit: "1/s", better: "higher", bound: 0.3 },
    { name: "proxy-requests-bare", unit: "1/s", better: "higher", bound: 1 },
  ],
  open: (stage) => betweenProxies(stage, (place) => requestRate(place, LOAD)),
};
