/** One host of the fleet: how it stands, what it uses, and what an administrator may do to it. */

import type { ComponentChildren } from "preact";
import { age } from "../../lib/age.ts";
import { type NodeView, presentBeat } from "../../protocol/node.ts";
import { Charts } from "./charts.tsx";
import type { Host } from "./hosts.ts";

export interface CardProps {
  host: Host;
  now: number;
  /** The buttons. */
  children?: ComponentChildren;
}

export function HostCard({ host, now, children }: CardProps) {
  const { node } = host;
  return (
    <article class="host" aria-label={node.name} data-status={node.status}>
      <h2>
        {node.name} <span class="status">{statusWords(node)}</span>
      </h2>
      <p class="quiet">{facts(node, now).join(" · ")}</p>
      {node.warnings?.map(({ code, message, time }) => (
        <p key={code} class="warning" role="alert">
          {message} <span class="quiet">{age(now - time)} ago</span>
        </p>
      ))}
      <Gateway node={node} />
      <Charts host={host} />
      <div class="buttons">{children}</div>
    </article>
  );
}

export function statusWords({ status, settings }: NodeView): string {
  return settings.enabled ? status : `${status}, disabled`;
}

function facts(node: NodeView, now: number): string[] {
  const { status, created, address, lastSeen, facts } = node;
  const beat = presentBeat(node);
  const found = [
    facts && `Fairlead ${facts.agentVersion}`,
    facts && (facts.engine ?? (facts.containerEngines.join(", ") || "no engine")),
    address,
    beat && `${beat.containersRunning} running`,
    `added ${age(now - created)} ago`,
    status !== "Ready" && lastSeen !== undefined && `last report ${age(now - lastSeen)} ago`,
  ];
  return found.filter((words) => typeof words === "string");
}

/** How the connection stands that carries sessions. */
function Gateway({ node }: { node: NodeView }) {
  if (node.status === "Pending") return <p class="quiet">Its agent has not come yet.</p>;
  if (!node.beat) return <p class="quiet">It has not reported since the server began.</p>;
  const beat = presentBeat(node);
  if (!beat) return null;
  const { gatewayStatus, gatewayStatusDetail, engineReady } = beat;
  return (
    <>
      {!engineReady && <p class="warning">Its container engine does not answer.</p>}
      {gatewayStatus !== undefined && (
        <p class={gatewayStatus === "connected" ? "quiet" : "warning"}>
          Sessions: {[gatewayStatus, gatewayStatusDetail].filter(Boolean).join(": ")}
        </p>
      )}
    </>
  );
}
