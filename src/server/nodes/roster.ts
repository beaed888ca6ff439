/** The hosts for those who follow them: one copy in memory for all followers, each of whom is told which hosts are different. */

import { aborted, wait } from "../../lib/wait.ts";
import type { Shelf } from "../store/shelf.ts";
import type { NodeRecord } from "./record.ts";

/** Milliseconds from one telling to the next, at least. */
const EVERY_MS = 1_000;
/** Hosts that one follower is told of in a second: where more report, several reports of a host become one telling. */
const HOSTS_A_SECOND = 250;

export class Roster {
  readonly #shelf: Shelf<NodeRecord>;
  readonly #records = new Map<string, NodeRecord>();
  /** By uid. */
  readonly #names = new Map<string, string>();
  readonly #followers = new Set<Follower>();
  #changes: ReturnType<Shelf<NodeRecord>["changes"]> | undefined;
  /** Aborted once all hosts are known. */
  readonly #loading = new AbortController();

  constructor(shelf: Shelf<NodeRecord>) {
    this.#shelf = shelf;
  }

  get names(): string[] {
    return [...this.#records.keys()];
  }

  get(name: string): NodeRecord | undefined {
    return this.#records.get(name);
  }

  /** Keeps up with the storage; resolves when the signal aborts. Called again where the storage could not be read. */
  async keep(signal: AbortSignal): Promise<void> {
    this.#changes ??= this.#shelf.changes(signal);
    for (const record of await this.#shelf.list()) this.#learn(record.name, record);
    this.#loading.abort();
    for await (const { id, document } of this.#changes) this.#learn(id, document);
  }

  /** Something that the storage does not have is different about this host. */
  touch(uid: string): void {
    const name = this.#names.get(uid);
    if (name !== undefined) this.#tell(name);
  }

  /** All hosts are different at first. Until the signal aborts, or its changes are read no more. */
  async follow(signal: AbortSignal): Promise<Follower> {
    await aborted(AbortSignal.any([this.#loading.signal, signal]));
    const leave = () => this.#followers.delete(follower);
    const follower = new Follower(this.#records.keys(), { signal, leave });
    if (!signal.aborted) this.#followers.add(follower);
    return follower;
  }

  #learn(name: string, record: NodeRecord | undefined): void {
    const before = this.#records.get(name);
    if (before) this.#names.delete(before.uid);
    if (record) {
      this.#records.set(name, record);
      this.#names.set(record.uid, name);
    } else this.#records.delete(name);
    this.#tell(name);
  }

  #tell(name: string): void {
    for (const follower of this.#followers) follower.touch(name);
  }
}

export class Follower {
  readonly #signal: AbortSignal;
  readonly #end: () => void;
  #names: Set<string>;
  #wake: () => void = () => {};

  /** `leave` is called once there is nobody to be told any more. */
  constructor(names: Iterable<string>, { signal, leave }: { signal: AbortSignal; leave: () => void }) {
    this.#names = new Set(names);
    this.#signal = signal;
    this.#end = () => {
      leave();
      this.#wake();
    };
    signal.addEventListener("abort", this.#end, { once: true });
  }

  touch(name: string): void {
    this.#names.add(name);
    this.#wake();
  }

  /** Yields at once, even nothing; then the hosts that are different since, or gone. Ends when the signal aborts. Read once. */
  async *changes(): AsyncGenerator<ReadonlySet<string>, void, void> {
    // What there is at the beginning is no change.
    let pause = EVERY_MS;
    try {
      while (!this.#signal.aborted) {
        const names = this.#names;
        this.#names = new Set();
        yield names;
        await wait(pause, this.#signal);
        await this.#news();
        pause = Math.max(EVERY_MS, (1_000 * this.#names.size) / HOSTS_A_SECOND);
      }
    } finally {
      this.#signal.removeEventListener("abort", this.#end);
      this.#end();
    }
  }

  async #news(): Promise<void> {
    if (this.#names.size > 0 || this.#signal.aborted) return;
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
