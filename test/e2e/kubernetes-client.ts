/** The stream classes of Kubernetes' own client for JavaScript, led to our doors: only the address is ours. */

import { KubeConfig } from "@kubernetes/client-node";
import { WebSocketHandler } from "@kubernetes/client-node/dist/web-socket-handler.js";
import { WebSocket } from "ws";
import type { TestAgent } from "../support/agent.ts";

/** Where Kubernetes has a pod's streams. */
const ADDRESS = /\/api\/v1\/namespaces\/[^/]+\/pods\/([^/]+)\/(exec|attach|portforward)\?(.*)$/;

interface Here {
  config: KubeConfig;
  handler: WebSocketHandler;
}

/** What `Exec`, `Attach` and `PortForward` take in place of their own; `protocols` in place of all that they offer. */
export function kubernetes({ url, token }: TestAgent, protocols?: string[]): Here {
  const config = new KubeConfig();
  config.loadFromOptions({
    // It refuses plain HTTP otherwise, on one's own machine too.
    clusters: [{ name: "agent", server: url, skipTLSVerify: true }],
    users: [{ name: "user", token }],
    contexts: [{ name: "here", cluster: "agent", user: "user" }],
    currentContext: "here",
  });
  const dial = (address: string, offered: string[], options: object) =>
    new WebSocket(address.replace(ADDRESS, ours), protocols ?? offered, options);
  const factory = dial as ConstructorParameters<typeof WebSocketHandler>[1];
  return { config, handler: new WebSocketHandler(config, factory) };
}

function ours(_address: string, container: string, verb: string, query: string): string {
  const port = new URLSearchParams(query).get("ports");
  return `/api/v1/containers/${container}/${verb === "portforward" ? `ports/${port}` : `${verb}?${query}`}`;
}
