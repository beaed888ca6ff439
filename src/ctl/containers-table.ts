/** How a container looks in a row. */

import { age } from "../lib/age.ts";
import type { ContainerView } from "../protocol/container.ts";
import type { Listing } from "./output-format.ts";
import { typedName } from "./place.ts";

const SHORT_ID = 12;
const MAX_COMMAND = 40;

const HEADINGS = ["NAME", "IMAGE", "STATE", "PROJECT", "PORTS", "AGE"];
const WIDE_HEADINGS = [...HEADINGS, "ID", "SERVICE", "STATUS", "NETWORKS", "COMMAND"];

export const CONTAINERS: Listing<ContainerView> = {
  headings: HEADINGS,
  row,
  wide: { headings: WIDE_HEADINGS, row: wideRow },
  name: ({ name }) => name,
};

/** A container and the node that it is on. */
export type Placed = ContainerView & { node: string };

export const PLACED_CONTAINERS: Listing<Placed> = {
  headings: ["NODE", ...HEADINGS],
  row: (container) => [container.node, ...row(container)],
  wide: { headings: ["NODE", ...WIDE_HEADINGS], row: (container) => [container.node, ...wideRow(container)] },
  name: ({ node, name }) => typedName(node, name),
};

function row(container: ContainerView): string[] {
  const { name, image, state, project = "", ports, created } = container;
  return [name, image, state, project, portWords(ports), age(Date.now() - created)];
}

function wideRow(container: ContainerView): string[] {
  const { id, service = "", number, status, networks, command } = container;
  const place = service && number !== undefined ? `${service}/${number}` : service;
  const short = command.length > MAX_COMMAND ? `${command.slice(0, MAX_COMMAND - 1)}…` : command;
  return [...row(container), id.slice(0, SHORT_ID), place, status, networks.join(","), short];
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
