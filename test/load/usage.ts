/** What a process has used, as Linux counts it. */

import { readdir, readFile } from "node:fs/promises";

/** Of /proc/PID/stat: Linux counts processor time in these, whatever the machine. */
const TICKS_A_SECOND = 100;

export interface Usage {
  /** Bytes. */
  memory: number;
  /** Seconds of processor time. */
  cpu: number;
  /** Bytes that it had written to disks. */
  written: number;
  /** Open file descriptors. */
  files: number;
}

export async function usageOf(pid: number): Promise<Usage> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, "utf8");
  const [status, stat, io, files] = await Promise.all([
    read("status"),
    read("stat"),
    read("io"),
    readdir(`/proc/${pid}/fd`),
  ]);
  // The program's name may hold anything but ends with the last bracket; user and system time are the fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return {
    memory: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1_024,
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    written: Number(/^write_bytes: (\d+)/m.exec(io)?.[1]),
    files: files.length,
  };
}
