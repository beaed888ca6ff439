/** Figures of NVIDIA's graphics processors, as `nvidia-smi` tells them where it is installed. */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import type { GpuMetrics } from "../../../protocol/node.ts";

const PROGRAM = "nvidia-smi";
/** A driver in trouble can hang for minutes. */
const TIMEOUT_MS = 5_000;
const MAX_OUTPUT = 1_048_576;
const MAX_GPUS = 64;
const MAX_PROCESSES = 64;
const MEBIBYTE = 1_048_576;
/** Where the program is not installed, it is looked for again after so many milliseconds. */
const ABSENT_MS = 300_000;

const FORMAT = "--format=csv,noheader,nounits";
const GPUS = "--query-gpu=uuid,name,utilization.gpu,memory.total,memory.used,temperature.gpu,power.draw";
const PROCESSES = "--query-compute-apps=gpu_uuid,pid,used_memory";

export class GpuMeter {
  #absentUntil = 0;

  /** Never rejects; `undefined` where there are none, or they do not answer. */
  async look(): Promise<GpuMetrics[] | undefined> {
    if (performance.now() < this.#absentUntil) return undefined;
    try {
      const [gpus, processes] = await Promise.all([ask(GPUS), ask(PROCESSES)]);
      const users = await Promise.all(processes.map(userOf));
      return gpus.slice(0, MAX_GPUS).map((row) => gpuOf(row, users));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") this.#absentUntil = performance.now() + ABSENT_MS;
      return undefined;
    }
  }
}

async function ask(query: string): Promise<string[][]> {
  const options = { timeout: TIMEOUT_MS, maxBuffer: MAX_OUTPUT, killSignal: "SIGKILL" } as const;
  const { stdout } = await promisify(execFile)(PROGRAM, [query, FORMAT], options);
  return stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.split(",").map((cell) => cell.trim()));
}

interface User {
  gpu: string;
  process: GpuMetrics["processes"][number];
}

function gpuOf(row: string[], users: readonly User[]): GpuMetrics {
  const [uuid = "", name = "", usage, total, used, temperature, power] = row;
  const figures = {
    usage: figure(usage),
    memoryTotal: figure(total, MEBIBYTE),
    memoryUsed: figure(used, MEBIBYTE),
    temperature: figure(temperature),
    power: figure(power),
  };
  const known = Object.fromEntries(Object.entries(figures).filter(([, value]) => value !== undefined));
  const processes = users.filter(({ gpu }) => gpu === uuid).map(({ process }) => process);
  return { uuid, name, ...known, processes: processes.slice(0, MAX_PROCESSES) };
}

/** `[N/A]` and the like are nothing. */
function figure(cell: string | undefined, unit = 1): number | undefined {
  const value = cell === undefined || cell === "" ? Number.NaN : Number(cell);
  return Number.isFinite(value) ? value * unit : undefined;
}

async function userOf([gpu = "", pidText = "", used]: string[]): Promise<User> {
  const pid = Number(pidText);
  const memory = figure(used, MEBIBYTE);
  const container = await containerOf(pid);
  return { gpu, process: { pid, ...(memory !== undefined && { memory }), ...(container && { container }) } };
}

/** The full id of the container that a process of this host is in. */
async function containerOf(pid: number): Promise<string | undefined> {
  const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  return /[0-9a-f]{64}/.exec(groups)?.[0];
}
