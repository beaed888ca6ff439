/** What can be open on the page: a terminal, an attach, a log, details, each at a container or on a host. */

import type { HostShell } from "./account.ts";
import { fullName } from "./containers/containers.ts";
import type { Usage } from "./details/usage.ts";
import type { Follow } from "./log/follow.ts";
import type { Shell } from "./terminal/shell.ts";

/** A container: with its node where the page is a server's. */
export interface Target {
  id: string;
  name: string;
  node?: string;
}

interface Opened {
  id: number;
}

interface AtContainer extends Opened {
  container: Target;
}

export interface TerminalTab extends AtContainer {
  kind: "terminal";
  shell: Shell;
  /** Asks for a command instead of starting a shell. */
  asks: boolean;
}

/** At a container's main process. */
export interface AttachTab extends AtContainer {
  kind: "attach";
  shell: Shell;
  onlyLooks: boolean;
}

/** A shell on the host itself. */
export interface HostTab extends Opened {
  kind: "host";
  host: HostShell;
  shell: Shell;
}

export interface LogTab extends AtContainer {
  kind: "log";
  follow: Follow;
}

/** What one container is and uses. */
export interface DetailsTab extends AtContainer {
  kind: "details";
  usage: Usage;
}

/** Those with a terminal. */
export type ScreenTab = TerminalTab | AttachTab | HostTab;
export type Tab = ScreenTab | LogTab | DetailsTab;

/** The container or the host. */
export function placeOf(tab: Tab): string {
  return tab.kind === "host" ? tab.host.name : tab.container.name;
}

/** Its session runs, or waits for the connection. */
export function isLive(tab: Tab): boolean {
  return sessionOf(tab)?.live === true;
}

export function isAt(tab: Tab, container: Target): boolean {
  return tab.kind !== "host" && isSame(tab.container, container);
}

export function sessionOf(tab: Tab): Shell | Follow | undefined {
  if (tab.kind === "details") return undefined;
  return tab.kind === "log" ? tab.follow : tab.shell;
}

/** Something runs in it that closing it would end. */
export function endsWork(tab: Tab): boolean {
  return (tab.kind === "terminal" || tab.kind === "host") && isLive(tab);
}

/** What a tab says of its container, wherever that is. */
export function named(target: Target): Target {
  const { id, node } = target;
  return { id, name: fullName(target), ...(node !== undefined && { node }) };
}

/** Two agents may share an engine. */
export function isSame(one: Pick<Target, "id" | "node">, other: Pick<Target, "id" | "node">): boolean {
  return one.id === other.id && one.node === other.node;
}
