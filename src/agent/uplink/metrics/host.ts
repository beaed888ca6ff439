/** Figures of the host itself: processors, memory, disk and network, as the kernel counts them. */

import { readdir, readFile, statfs } from "node:fs/promises";
import { cpus, freemem, loadavg, totalmem } from "node:os";

/** The kernel counts disks in these, whatever their own sectors are. */
const SECTOR = 512;
/** Networks of containers and virtual machines: their traffic is counted where it leaves the host. */
const INNER = /^(lo|docker|br-|veth|podman|cni|virbr|lxc|fl-)/;
/** To a container, and to all on one network. */
const LINK = /^(docker|br-|veth|podman|cni)/;
/** Whole disks; their partitions, and what is built on top of them, would count twice. */
const DISK = /^(sd[a-z]+|vd[a-z]+|xvd[a-z]+|hd[a-z]+|nvme\d+n\d+|mmcblk\d+)$/;

export interface HostMetrics {
  /** 0 to 100, of all processors. */
  cpuUsage: number;
  memoryTotal: number;
  memoryFree: number;
  diskTotal?: number;
  diskFree?: number;
  /** Bytes per second. */
  diskRead?: number;
  diskWritten?: number;
  received?: number;
  sent?: number;
  load?: number;
  processes?: number;
}

/** Since the host started. */
interface Counters {
  /** Milliseconds on a clock that does not jump. */
  at: number;
  busy: number;
  idle: number;
  io: [read: number, written: number] | undefined;
  net: [received: number, sent: number] | undefined;
}

/** What can be told at once. */
export function memory(): HostMetrics {
  return { cpuUsage: 0, memoryTotal: totalmem(), memoryFree: freemem() };
}

export interface HostMeterOptions {
  /** Lies on the disk whose room is told. */
  path: string;
  /** In a container the agent has processes of its own, and mostly a network, which are not the host's. */
  contained: boolean;
}

/** Measures from one look to the next. */
export class HostMeter {
  readonly #options: HostMeterOptions;
  #before: Counters | undefined;

  constructor(options: HostMeterOptions) {
    this.#options = options;
  }

  /** Never rejects: what the system does not tell is left out. The first look has no time to measure, and tells the load since the start. */
  async look(): Promise<HostMetrics> {
    const { path, contained } = this.#options;
    const [now, disk, processes] = await Promise.all([counters(contained), room(path), processCount()]);
    const before = this.#before;
    this.#before = now;
    const busy = now.busy - (before?.busy ?? 0);
    const time = busy + now.idle - (before?.idle ?? 0);
    return {
      ...memory(),
      cpuUsage: time > 0 ? Math.min(100, Math.max(0, (100 * busy) / time)) : 0,
      ...disk,
      ...rates(["diskRead", "diskWritten"], { now, before, of: ({ io }) => io }),
      ...rates(["received", "sent"], { now, before, of: ({ net }) => net }),
      load: loadavg()[0] ?? 0,
      ...(processes !== undefined && !contained && { processes }),
    };
  }
}

interface Between {
  now: Counters;
  before: Counters | undefined;
  of: (counters: Counters) => [number, number] | undefined;
}

/** Per second; nothing where there is nothing to compare, or a counter began anew. */
function rates<K extends string>([one, two]: [K, K], { now, before, of }: Between): Partial<Record<K, number>> {
  const [newer, older] = [of(now), before && of(before)];
  const seconds = (now.at - (before?.at ?? now.at)) / 1_000;
  if (!newer || !older || seconds <= 0 || newer[0] < older[0] || newer[1] < older[1]) return {};
  const pairs = [
    [one, (newer[0] - older[0]) / seconds],
    [two, (newer[1] - older[1]) / seconds],
  ];
  return Object.fromEntries(pairs) as Partial<Record<K, number>>;
}

async function counters(contained: boolean): Promise<Counters> {
  let [busy, idle] = [0, 0];
  for (const { times } of cpus()) {
    busy += times.user + times.nice + times.sys + times.irq;
    idle += times.idle;
  }
  const [io, links] = await Promise.all([diskCounters(), readText("/proc/net/dev")]);
  return { at: performance.now(), busy, idle, io, net: trafficOf(links ?? "", contained) };
}

async function diskCounters(): Promise<[number, number] | undefined> {
  const text = await readText("/proc/diskstats");
  if (text === undefined) return undefined;
  const disks = text
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , name = ""]) => DISK.test(name));
  return [SECTOR * sum(disks, 5), SECTOR * sum(disks, 9)];
}

/** `text` is /proc/net/dev, as proc(5) describes it. Undefined for the network of an agent in a container that has its own. */
export function trafficOf(text: string, contained: boolean): [received: number, sent: number] | undefined {
  const all = text
    .split("\n")
    .slice(2)
    .map((line) => line.trim().split(/[:\s]+/))
    .filter(([name = ""]) => name !== "");
  // Links to containers are where their host is.
  if (all.length === 0 || (contained && !all.some(([name = ""]) => LINK.test(name)))) return undefined;
  const outer = all.filter(([name = ""]) => !INNER.test(name));
  return [sum(outer, 1), sum(outer, 9)];
}

function sum(rows: string[][], column: number): number {
  return rows.reduce((total, row) => total + Number(row[column] ?? 0), 0);
}

async function room(path: string): Promise<Pick<HostMetrics, "diskTotal" | "diskFree">> {
  try {
    const { blocks, bavail, bsize } = await statfs(path);
    return { diskTotal: blocks * bsize, diskFree: bavail * bsize };
  } catch {
    return {};
  }
}

async function processCount(): Promise<number | undefined> {
  const entries = await readdir("/proc").catch(() => []);
  return entries.filter((name) => /^\d+$/.test(name)).length || undefined;
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}
