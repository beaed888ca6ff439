/** The host's processes as /proc shows them, and signals to the ones that are proven to belong to what is to be signalled. */

import { readFileSync } from "node:fs";
import { readdir, readlink } from "node:fs/promises";
import { kill } from "node:process";
import { setImmediate as nextTurn } from "node:timers/promises";

/** Files read in one turn while all processes are looked through. */
const BATCH = 64;
/** Of every Linux, as far as programs can see. */
const TICKS_PER_SECOND = 100;

/** A moment at which nothing of a process ran yet, or exactly when it started. */
export interface HostStart {
  /** Clock ticks since boot; with a pid and the boot this names one process and no later one. */
  startTime: number;
  bootId: string;
}

interface Stat {
  pid: number;
  parent: number;
  session: number;
  startTime: number;
  /** Ended, but its parent has not asked. */
  zombie: boolean;
}

/** Now, in the terms of the journal. */
export function hostNow(): HostStart {
  const uptime = Number.parseFloat(readProc("uptime"));
  return { startTime: Math.floor(uptime * TICKS_PER_SECOND) - 1, bootId: readBootId() };
}

/** When a process of the container started: "gone" if it has ended, "elsewhere" if it is not proven to be inside. */
export function startOf(pid: number, containerId: string): number | "gone" | "elsewhere" {
  const inside = isInside(pid, containerId);
  const stat = readStat(pid);
  if (!stat) return "gone";
  return inside ? stat.startTime : "elsewhere";
}

/** Whether this program sees the engine's processes and may signal them; `pid` is a container's first process. */
export function canSignal(pid: number, containerId: string): boolean {
  return pid > 1 && isInside(pid, containerId) && send(pid, 0);
}

/** Whether the container has a network of its own, apart from ours; undefined when that cannot be seen from here. */
export async function isForeignNetwork(pid: number, containerId: string): Promise<boolean | undefined> {
  if (pid <= 1 || !isInside(pid, containerId)) return undefined;
  const [its, ours] = await Promise.all(
    [pid, "self"].map((process) => readlink(`/proc/${process}/ns/net`).catch(() => "")),
  );
  return its && ours ? its !== ours : undefined;
}

/** Everything the leader of a session started: the session, and descendants that left it. Remembers who was ever seen. */
export class ProcessTree {
  readonly #leader: HostStart & { pid: number };
  readonly #containerId: string | undefined;
  readonly #seen = new Map<number, number>();

  /** Of a child of this program, outside of every container. It has to be the leader of a session, and not waited for. */
  static ofChild(pid: number): ProcessTree {
    const startTime = readStat(pid)?.startTime;
    return new ProcessTree({ ...hostNow(), ...(startTime !== undefined && { startTime }), pid });
  }

  /** The leader may have ended; then its start may be given as a moment before it. With a container nothing outside it counts. */
  constructor(leader: HostStart & { pid: number }, containerId?: string) {
    this.#leader = leader;
    this.#containerId = containerId;
  }

  /** Signals all; resolves with how many there were. */
  async signal(...signals: NodeJS.Signals[]): Promise<number> {
    const pids = await this.#find();
    for (const pid of pids) for (const signal of signals) send(pid, signal);
    return pids.length;
  }

  /** How many still live. */
  async count(): Promise<number> {
    return (await this.#find()).length;
  }

  async #find(): Promise<number[]> {
    if (readBootId() !== this.#leader.bootId) return [];
    const stats = await readAll();
    const leader = stats.get(this.#leader.pid);
    // A pid is not given away while a session of that number lives: another process there means that ours is over.
    const over = leader !== undefined && leader.startTime !== this.#leader.startTime;
    for (const [pid, startTime] of this.#seen) if (stats.get(pid)?.startTime !== startTime) this.#seen.delete(pid);
    for (const stat of stats.values()) {
      if (!over && stat.session === this.#leader.pid) this.#add(stat);
    }
    this.#addDescendants(stats);
    return [...this.#seen.keys()].filter((pid) => !stats.get(pid)?.zombie);
  }

  #addDescendants(stats: Map<number, Stat>): void {
    for (let before = -1; before !== this.#seen.size; ) {
      before = this.#seen.size;
      for (const stat of stats.values()) if (this.#seen.has(stat.parent)) this.#add(stat);
    }
  }

  #add(stat: Stat): void {
    if (this.#seen.has(stat.pid) || stat.startTime < this.#leader.startTime) return;
    if (stat.zombie || this.#containerId === undefined || isInside(stat.pid, this.#containerId))
      this.#seen.set(stat.pid, stat.startTime);
  }
}

/** The only proof that counts: the kernel says that the process is in the container's control group. */
function isInside(pid: number, containerId: string): boolean {
  return readProc(`${pid}/cgroup`).includes(containerId);
}

async function readAll(): Promise<Map<number, Stat>> {
  const pids = (await readdir("/proc").catch(() => [] as string[])).map(Number).filter((pid) => pid > 1);
  const stats = new Map<number, Stat>();
  for (const [index, pid] of pids.entries()) {
    if (index > 0 && index % BATCH === 0) await nextTurn();
    const stat = readStat(pid);
    if (stat) stats.set(pid, stat);
  }
  return stats;
}

/** proc_pid_stat(5): the name is in parentheses and may contain any; the fields after it are counted from 3. */
function readStat(pid: number): Stat | undefined {
  const text = readProc(`${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3]);
  if (fields.length < 20) return undefined;
  const zombie = fields[0] === "Z" || fields[0] === "X";
  return { pid, parent: field(4), session: field(6), startTime: field(22), zombie };
}

function readBootId(): string {
  return readProc("sys/kernel/random/boot_id").trim();
}

/**
 * A file that the kernel writes as it is read, which waits for nothing; empty when there is none. Read at once:
 * read in the background each would take 64 KiB of memory and four turns of a thread, for a hundred bytes.
 */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return "";
  }
}

/** False when the process may not be signalled; true also when it is gone meanwhile. */
function send(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    kill(pid, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
