/** What is dangerous about a copy on an engine that is not mended. */

import type { Runtime } from "../runtime/runtime.ts";

/** The first Docker Engine that a process in the container cannot lead astray. */
const MENDED = [29, 5, 1];
export const CVES = ["CVE-2026-42306", "CVE-2026-41567"];

/**
 * Words when a process in the container could turn the copy elsewhere on the host: one that runs, with volumes, on an
 * engine before 29.5.1. Nothing is refused for it.
 */
export async function riskOfCopy(runtime: Runtime, id: string, signal: AbortSignal): Promise<string | undefined> {
  const [{ name, version }, { state, mounts }] = await Promise.all([runtime.info(signal), runtime.inspect(id, signal)]);
  if (name !== "docker" || state !== "running" || mounts.length === 0 || !isBefore(version, MENDED)) return undefined;
  return `The engine (${version}) is older than ${MENDED.join(".")}: a hostile process in this running container, which has volumes, could turn a copy elsewhere on its host (${CVES.join(", ")}).`;
}

/** A version that is not one counts as old. */
function isBefore(version: string, limit: readonly number[]): boolean {
  const parts = version.split(/[.+-]/, limit.length).map(Number);
  for (const [index, wanted] of limit.entries()) {
    const part = parts[index] ?? 0;
    if (part !== wanted) return !(part > wanted);
  }
  return false;
}
