/** What is open on the page: terminals, attaches and logs, which of them is shown, and which one waits for a yes before it is ended. */

import { computed, signal } from "@preact/signals";
import type { Link } from "./link.ts";
import { Follow } from "./log/follow.ts";
import { Shell } from "./terminal/shell.ts";
import { commandIn, mainProcessOf } from "./terminal/start.ts";

/** Each holds a session and up to some tens of megabytes of what it showed. */
const MAX_TABS = 24;
/** The list of containers is always open and never closes. */
export const LIST = 0;

export interface Target {
  id: string;
  name: string;
}

interface Opened {
  id: number;
  container: Target;
}

export interface TerminalTab extends Opened {
  kind: "terminal";
  shell: Shell;
  /** Asks for a command instead of starting a shell. */
  asks: boolean;
}

/** At a container's main process. */
export interface AttachTab extends Opened {
  kind: "attach";
  shell: Shell;
  onlyLooks: boolean;
}

export interface LogTab extends Opened {
  kind: "log";
  follow: Follow;
}

export type Tab = TerminalTab | AttachTab | LogTab;

/** Its session runs, or waits for the connection. */
export function isLive(tab: Tab): boolean {
  return sessionOf(tab).live;
}

function sessionOf(tab: Tab): Shell | Follow {
  return tab.kind === "log" ? tab.follow : tab.shell;
}

/** Something runs in it that closing it would end. */
function endsWork(tab: Tab): boolean {
  return tab.kind === "terminal" && isLive(tab);
}

export class Tabs {
  readonly open = signal<readonly Tab[]>([]);
  readonly shown = signal<number>(LIST);
  /** The tab whose end the user is asked about. */
  readonly asking = signal<Tab | undefined>(undefined);
  /** Rises when the user goes into a tab, not when the arrow keys pass over it: then the keyboard is the terminal's. */
  readonly entered = signal(0);
  readonly full = computed(() => this.open.value.length >= MAX_TABS);
  readonly #link: Link;
  #last = LIST;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Every call is a terminal of its own. */
  terminal(container: Target, { asks }: { asks: boolean }): void {
    const shell = new Shell(commandIn(container.id), this.#link);
    this.#add({ kind: "terminal", id: ++this.#last, container, asks, shell });
  }

  attach(container: Target, { onlyLooks }: { onlyLooks: boolean }): void {
    if (this.#enteredAgain("attach", container)) return;
    const shell = new Shell(mainProcessOf(container.id, { onlyLooks }), this.#link);
    this.#add({ kind: "attach", id: ++this.#last, container, onlyLooks, shell });
  }

  log(container: Target): void {
    if (this.#enteredAgain("log", container)) return;
    this.#add({ kind: "log", id: ++this.#last, container, follow: new Follow(container.id, this.#link) });
  }

  enter(id: number): void {
    this.shown.value = id;
    this.entered.value++;
  }

  /** The neighbour in the strip, around the ends. */
  move(step: 1 | -1): void {
    const ids = [LIST, ...this.open.peek().map((tab) => tab.id)];
    const at = ids.indexOf(this.shown.peek());
    this.shown.value = ids[(at + step + ids.length) % ids.length] ?? LIST;
  }

  /** A terminal in which something runs is only closed after a yes. */
  requestClose(tab: Tab): void {
    if (endsWork(tab)) this.asking.value = tab;
    else this.close(tab);
  }

  close(tab: Tab): void {
    this.asking.value = undefined;
    const tabs = this.open.peek();
    const at = tabs.indexOf(tab);
    if (at < 0) return;
    this.open.value = tabs.toSpliced(at, 1);
    if (this.shown.peek() === tab.id) this.shown.value = this.open.peek()[Math.min(at, tabs.length - 2)]?.id ?? LIST;
    void sessionOf(tab).close();
  }

  closeAll(): void {
    for (const tab of this.open.peek()) this.close(tab);
  }

  /** Something runs that leaving the page would end. */
  get live(): boolean {
    return this.open.value.some(endsWork);
  }

  /** One of a kind for a container is enough: whether there is one, which is then shown. */
  #enteredAgain(kind: Tab["kind"], container: Target): boolean {
    const open = this.open.peek().find((tab) => tab.kind === kind && tab.container.id === container.id);
    if (open) this.enter(open.id);
    return open !== undefined;
  }

  #add(tab: Tab): void {
    if (this.full.peek()) return;
    this.open.value = [...this.open.peek(), tab];
    this.enter(tab.id);
  }
}
