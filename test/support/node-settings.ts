/** What a server tells a host of how it is to work, where nobody has changed anything. */

import type { NodeView } from "../../src/protocol/node.ts";

export const NODE_SETTINGS: NodeView["settings"] = {
  enabled: true,
  heartbeatInterval: 10_000,
  pollInterval: 10_000,
  keyInterval: 86_400_000,
  containerMetrics: true,
  gpuMetrics: true,
};
