/** The hosts of the fleet, as people see and change them. */

import { randomUUID } from "node:crypto";
import { FairleadError } from "../../protocol/errors.ts";
import type { FleetEvent } from "../../protocol/events.ts";
import type { Beat, NodeSettings, NodeView } from "../../protocol/node.ts";
import { Shelf } from "../store/shelf.ts";
import type { Storage } from "../store/storage.ts";
import type { Upkeep } from "../upkeep.ts";
import { Live, LOOK_MS } from "./live.ts";
import { NodeRecord } from "./record.ts";
import { Roster } from "./roster.ts";

/** Hosts of one fleet. */
const MAX_NODES = 10_000;

export interface NodesParts {
  storage: Storage;
  /** Of hosts that have none of their own. */
  defaults: NodeSettings;
  events: { add(event: Omit<FleetEvent, "seq" | "time">): Promise<void> };
}

export class Nodes {
  readonly records: Shelf<NodeRecord>;
  readonly roster: Roster;
  readonly live: Live;
  readonly #parts: NodesParts;
  /** Of those that did not report in time, what is not on the disk yet. */
  readonly #overdue = new Set<string>();

  /** Hosts that were Ready stay so until they had the time to come back. */
  static async open(parts: NodesParts): Promise<Nodes> {
    const nodes = new Nodes(parts);
    for (const record of await nodes.records.list())
      if (record.ready) nodes.live.inherit(record.uid, nodes.settingsOf(record).heartbeatInterval);
    return nodes;
  }

  private constructor(parts: NodesParts) {
    this.#parts = parts;
    const mend = (name: string) =>
      `Its agent cannot come in. Remove the host and add it again (ctl nodes remove ${name}), or go back to a backup.`;
    this.records = new Shelf(parts.storage, { name: "node", schema: NodeRecord, nameIn: ({ name }) => name, mend });
    this.roster = new Roster(this.records);
    this.live = new Live((uid) => this.roster.touch(uid));
  }

  /** What was set here for the host, then what it wishes itself, then the server's own. */
  settingsOf({ settings, facts }: NodeRecord): NodeSettings {
    const wish = facts?.heartbeatInterval;
    return { ...this.#parts.defaults, ...(wish !== undefined && { heartbeatInterval: wish }), ...present(settings) };
  }

  async list(): Promise<NodeView[]> {
    return (await this.records.list()).map((record) => this.view(record));
  }

  /** Throws `not-found`. */
  async get(name: string): Promise<NodeView> {
    return this.view(found(await this.records.get(name), name));
  }

  /** A host whose agent is still to come; adding it again is fine until then. Throws `conflict` afterwards, and `damaged-record`. */
  async add(name: string): Promise<NodeRecord> {
    const existing = await this.records.get(name);
    if (existing && existing.keys.length > 0)
      throw new FairleadError("conflict", `There is a host called ${name}. Remove it first, or choose another name.`);
    if (existing) return existing;
    if ((await this.records.count()) >= MAX_NODES)
      throw new FairleadError("too-many", `There are ${MAX_NODES} hosts; this server takes no more.`);
    const record: NodeRecord = {
      name,
      uid: randomUUID(),
      created: Date.now(),
      settings: {},
      keys: [],
      epoch: 0,
      used: 0,
      rotate: false,
      ready: false,
    };
    if (!(await this.records.create(name, record))) return this.add(name);
    await this.tell("NodeAdded", name, "was added; its agent is still to come");
    return record;
  }

  /** What its agent has open ends now. Resolves with its id, where its record still has that. Throws `not-found`. */
  async remove(name: string): Promise<string | undefined> {
    // One that was damaged while the server ran may have come in before.
    const known = this.roster.get(name);
    const { document } = found(await this.records.take(name), name);
    const uid = document?.uid ?? known?.uid;
    if (uid !== undefined) this.live.forget(uid, new FairleadError("revoked", `The host ${name} was removed.`));
    await this.tell("NodeRemoved", name, "was removed");
    return uid;
  }

  /** `undefined` takes a setting back to the server's own. Throws `not-found`. */
  async set(name: string, settings: NodeRecord["settings"]): Promise<NodeView> {
    const record = await this.records.update(name, (before) => {
      return { ...before, settings: present({ ...before.settings, ...settings }) };
    });
    return this.view(found(record, name));
  }

  /** Disabled hosts take no new work; what runs goes on, but open pages of containers end. */
  async enable(name: string, enabled: "enabled" | "disabled"): Promise<NodeView> {
    const view = await this.set(name, { enabled: enabled === "enabled" });
    await this.tell(enabled === "enabled" ? "NodeEnabled" : "NodeDisabled", name, `was ${enabled}`);
    return view;
  }

  /** At its next report the host is asked for a new key. */
  async rotate(name: string): Promise<NodeView> {
    const record = found(await this.records.update(name, (before) => ({ ...before, rotate: true })), name);
    await this.tell("NodeKeyRequested", name, "is asked for a new key");
    return this.view(record);
  }

  /** Keeps up with what happens and what fails to; `closed` hears of hosts that take no work, and of such as were removed. */
  watch(upkeep: Upkeep, closed: (name: string) => void): void {
    upkeep.keep("following the hosts' records", (signal) => this.roster.keep(signal));
    upkeep.keep("ending what hosts do not go on with", (signal) => this.#closedToWork(signal, closed));
    upkeep.every(LOOK_MS, "writing down which hosts do not report", () => this.#lookAfter());
  }

  async #closedToWork(signal: AbortSignal, hear: (name: string) => void): Promise<void> {
    for await (const names of (await this.roster.follow(signal)).changes())
      for (const name of names) {
        const record = this.roster.get(name);
        if (!record || !this.settingsOf(record).enabled) hear(name);
      }
  }

  /** Tells when hosts have not reported in time; those of which that fails are told the next time, unless they are back. */
  async #lookAfter(): Promise<void> {
    for (const uid of this.live.overdue()) this.#overdue.add(uid);
    if (this.#overdue.size === 0) return;
    for (const { name, uid } of await this.records.list()) {
      if (!this.#overdue.has(uid)) continue;
      if (!this.live.isReady(uid)) await this.#notReady(name, uid);
      this.#overdue.delete(uid);
    }
    // Nobody has the rest any more.
    this.#overdue.clear();
  }

  /** In the history of the fleet. */
  async tell(type: string, node: string, words: string): Promise<void> {
    await this.#parts.events.add({ type, node, message: `The host ${node} ${words}.` });
  }

  view(record: NodeRecord): NodeView {
    const { name, uid, created, registered, facts } = record;
    const { lastSeen = record.lastSeen, address = record.address, beat, warnings } = this.live.of(uid);
    const [key] = record.keys.slice(-1);
    return {
      name,
      uid,
      status: record.keys.length === 0 ? "Pending" : this.live.isReady(uid) ? "Ready" : "NotReady",
      created,
      settings: this.settingsOf(record),
      ownSettings: Object.keys(present(record.settings)),
      ...(registered !== undefined && { registered }),
      ...(lastSeen !== undefined && { lastSeen }),
      ...(address !== undefined && { address }),
      ...(facts && { facts }),
      ...(beat && { beat: withoutContainers(beat) }),
      ...(warnings.length > 0 && { warnings }),
      ...(key && { key: { id: key.id, since: key.since } }),
    };
  }

  async #notReady(name: string, uid: string): Promise<void> {
    const { lastSeen } = this.live.of(uid);
    await this.records.update(name, (record) => ({ ...record, ready: false, ...(lastSeen && { lastSeen }) }));
    await this.tell("NodeNotReady", name, "has not reported three times in a row");
  }
}

/** What containers use is shown to who may inspect them. */
function withoutContainers(beat: Beat): NonNullable<NodeView["beat"]> {
  const { containers: _, ...rest } = beat;
  return rest;
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Without what is undefined. */
function present<T extends object>(values: T): Present<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Present<T>;
}

function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new FairleadError("not-found", `There is no host called ${name}. See: ctl get nodes`);
  return value;
}
