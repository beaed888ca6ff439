/** How a container's facts are worded in the list. */

import type { ContainerView } from "../../protocol/container.ts";

export interface PortWords {
  words: string;
  /** Of a TCP port: its number in the container. */
  tcp: number | undefined;
}

/** `8080→80` for a published port, `80` for one that only containers reach; `/udp` and the like only where it is not TCP. */
export function ports(container: ContainerView): PortWords[] {
  const all = container.ports
    .toSorted((a, b) => a.container - b.container || (a.host ?? 0) - (b.host ?? 0))
    .map(({ container, host, protocol }) => {
      const kind = protocol === "tcp" ? "" : `/${protocol}`;
      const words = `${host === undefined ? "" : `${host}→`}${container}${kind}`;
      return { words, tcp: protocol === "tcp" ? container : undefined };
    });
  return all.filter(({ words }, index) => all.findIndex((other) => other.words === words) === index);
}

/** The engine's words without the state in front of them, which is shown already. */
export function status(container: ContainerView): string {
  const { state, status } = container;
  return status.toLowerCase().startsWith(state) ? status.slice(state.length).trim() : status;
}

/** An image without its digest, and a bare image id shortened as Docker does. */
export function image(name: string): string {
  if (/^sha256:[0-9a-f]{64}$/.test(name)) return name.slice(7, 19);
  return name.replace(/@sha256:[0-9a-f]{64}$/, "");
}

/** Also when it is paused or starts again and again: the engine removes it by force only. */
export function isAlive({ state }: ContainerView): boolean {
  return state === "running" || state === "paused" || state === "restarting";
}

/** `admin` includes every right. */
export function may(container: ContainerView, right: string): boolean {
  return container.rights.includes(right) || container.rights.includes("admin");
}
