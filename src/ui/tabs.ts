/** What is open on the page: terminals, attaches, logs and details, which of them is shown, and which one waits for a yes before it is ended. */

import { computed, signal } from "@preact/signals";
import type { Account, HostShell } from "./account.ts";
import { Usage } from "./details/usage.ts";
import type { Link } from "./link.ts";
import { Follow } from "./log/follow.ts";
import { endsWork, isAt, named, sessionOf, type Tab, type Target } from "./tab.ts";
import { Shell } from "./terminal/shell.ts";
import { commandIn, LOGIN_SHELL, mainProcessOf } from "./terminal/start.ts";

/** Each holds a session and up to some tens of megabytes of what it showed. */
const MAX_TABS = 24;
/** The list of containers is always open and never closes. */
export const LIST = 0;
/** Of a fleet, so are its hosts and events, and for administrators the audit log and the tokens. */
export const HOSTS_TAB = -1;
export const EVENTS_TAB = -2;
export const AUDIT_TAB = -3;
export const TOKENS_TAB = -4;

export class Tabs {
  readonly open = signal<readonly Tab[]>([]);
  /** Those that never close. */
  readonly fixed = signal<readonly number[]>([LIST]);
  readonly shown = signal<number>(LIST);
  /** The tab whose end the user is asked about. */
  readonly asking = signal<Tab | undefined>(undefined);
  /** Rises when the user goes into a tab, not when the arrow keys pass over it: then the keyboard is the terminal's. */
  readonly entered = signal(0);
  readonly full = computed(() => this.open.value.length >= MAX_TABS);
  readonly #link: Link;
  readonly #account: Account;
  #last = LIST;

  constructor(link: Link, account: Account) {
    this.#link = link;
    this.#account = account;
  }

  /** Every call is a terminal of its own. */
  terminal(target: Target, { asks }: { asks: boolean }): void {
    const container = named(target);
    const shell = new Shell(commandIn(container.id), this.#link.to(container.node));
    this.#add({ kind: "terminal", id: ++this.#last, container, asks, shell });
  }

  attach(target: Target, { onlyLooks }: { onlyLooks: boolean }): void {
    const container = named(target);
    if (this.#enteredAgain("attach", container)) return;
    const shell = new Shell(mainProcessOf(container.id, { onlyLooks }), this.#link.to(container.node));
    this.#add({ kind: "attach", id: ++this.#last, container, onlyLooks, shell });
  }

  /** Every call is a shell of its own. */
  shell(host: HostShell): void {
    const shell = new Shell(LOGIN_SHELL, this.#link.to(host.node));
    this.#add({ kind: "host", id: ++this.#last, host, shell });
  }

  log(target: Target): void {
    const container = named(target);
    if (this.#enteredAgain("log", container)) return;
    const follow = new Follow(container.id, this.#link.to(container.node));
    this.#add({ kind: "log", id: ++this.#last, container, follow });
  }

  details(target: Target): void {
    const container = named(target);
    if (this.#enteredAgain("details", container)) return;
    this.#add({ kind: "details", id: ++this.#last, container, usage: new Usage(this.#account, container) });
  }

  enter(id: number): void {
    this.shown.value = id;
    this.entered.value++;
  }

  /** The neighbour in the strip, around the ends. */
  move(step: 1 | -1): void {
    const ids = [...this.fixed.peek(), ...this.open.peek().map((tab) => tab.id)];
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
    void sessionOf(tab)?.close();
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
    const open = this.open.peek().find((tab) => tab.kind === kind && isAt(tab, container));
    if (open) this.enter(open.id);
    return open !== undefined;
  }

  #add(tab: Tab): void {
    if (this.full.peek()) return;
    this.open.value = [...this.open.peek(), tab];
    this.enter(tab.id);
  }
}
