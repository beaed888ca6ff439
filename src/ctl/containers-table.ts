/** How a container looks in a row. */

import type { ContainerView } from "../protocol/container.ts";

const SHORT_ID = 12;
const MAX_COMMAND = 40;
const UNITS = [
  { letter: "d", ms: 86_400_000 },
  { letter: "h", ms: 3_600_000 },
  { letter: "m", ms: 60_000 },
  { letter: "s", ms: 1_000 },
];
/** Up to so many of the smaller unit are told in it: 119m, then 2h. */
const ENOUGH = 2;

export const HEADINGS = ["NAME", "IMAGE", "STATE", "PROJECT", "PORTS", "AGE"];
export const WIDE_HEADINGS = [...HEADINGS, "ID", "SERVICE", "STATUS", "NETWORKS", "COMMAND"];

/** `now` in milliseconds since 1970. */
export function row(container: ContainerView, now: number): string[] {
  const { name, image, state, project = "", ports, created } = container;
  return [name, image, state, project, portWords(ports), age(now - created)];
}

export function wideRow(container: ContainerView, now: number): string[] {
  const { id, service = "", number, status, networks, command } = container;
  const place = service && number !== undefined ? `${service}/${number}` : service;
  const short = command.length > MAX_COMMAND ? `${command.slice(0, MAX_COMMAND - 1)}…` : command;
  return [...row(container, now), id.slice(0, SHORT_ID), place, status, networks.join(","), short];
}

/** By project, then by name; what belongs to no project comes last. */
export function inOrder(containers: readonly ContainerView[]): ContainerView[] {
  const key = ({ project, name }: ContainerView) => `${project ?? "\uffff"}\0${name}`;
  return containers.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** `8080->80/tcp` where anybody can come, `127.0.0.1:8080->80/tcp` where not, `80/tcp` where it is not published. */
export function portWords(ports: ContainerView["ports"]): string {
  const words = ports
    .toSorted((a, b) => a.container - b.container)
    .map(({ container, protocol, host, address }) => {
      if (host === undefined) return `${container}/${protocol}`;
      const open = !address || address === "0.0.0.0" || address === "::";
      const where = address?.includes(":") ? `[${address}]` : address;
      return `${open ? "" : `${where}:`}${host}->${container}/${protocol}`;
    });
  return [...new Set(words)].join(", ");
}

/** In the largest unit of which there are enough: `45s`, `12m`, `5h`, `3d`. */
export function age(ms: number): string {
  const unit = UNITS.find((each) => ms >= ENOUGH * each.ms);
  return unit ? `${Math.floor(ms / unit.ms)}${unit.letter}` : `${Math.max(0, Math.floor(ms / 1_000))}s`;
}
