/** Saturates one TCP connection and tells how much got through. */

import { type Command, run } from "../command.ts";
import { provide } from "../machine.ts";

/** iperf3's own port. */
export const IPERF_PORT = 5201;

export interface Load {
  /** Local port that leads to an iperf3 server. */
  port: number;
  /** `up`: from here into the container. */
  direction: "up" | "down";
  seconds: number;
}

/** Gigabits a second, as the receiving end counted them. */
export async function throughput(load: Load): Promise<number> {
  const { error, end } = JSON.parse(await run(await iperf(load))) as Report;
  const rate = end?.sum_received?.bits_per_second;
  if (!rate) throw new Error(`iperf3 through port ${load.port}: ${error ?? "nothing arrived"}`);
  return rate / 1e9;
}

/** The parts of iperf3's JSON that are read here. */
interface Report {
  error?: string;
  end?: { sum_received?: { bits_per_second?: number } };
}

async function iperf({ port, direction, seconds }: Load): Promise<Command> {
  const common = ["--client", "127.0.0.1", "--port", String(port), "--time", String(seconds), "--json"];
  return { file: await provide("iperf3"), args: direction === "down" ? [...common, "--reverse"] : common };
}
