/** How a container ends that somebody is attached to; asked before it does, because one that removes itself leaves no trace. */

import { wait } from "../../../lib/wait.ts";
import type { ExitStatus } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";

/** Milliseconds between the end of a container's output and the engine's word that it has stopped. */
const GRACE = 2000;
/** The engine's answer is shorter than this. */
const MAX_ANSWER = 64 * 1024;

export interface ContainerExit {
  /** To be asked when the output has ended: "detached" if the container goes on. */
  status(): Promise<ExitStatus>;
}

/** Resolves once the engine listens; the signal ends the wait. */
export async function waitForExit(engine: Engine, id: string, signal: AbortSignal): Promise<ContainerExit> {
  const path = `/containers/${id}/wait?condition=next-exit`;
  const wire = await engine.stream({ method: "POST", path }, signal);
  const answer = readStatus(wire.body());
  const late = { unknown: "detached" };
  return { status: () => Promise.race([answer, wait(GRACE, signal).then(() => late)]) };
}

async function readStatus(body: AsyncIterable<Buffer>): Promise<ExitStatus> {
  try {
    let text = "";
    for await (const bytes of body) {
      text += bytes.toString();
      if (text.length > MAX_ANSWER) throw new Error("the engine's answer has no end");
    }
    const { StatusCode: code } = JSON.parse(text) as { StatusCode?: unknown };
    return typeof code === "number" ? { code } : { unknown: "the engine did not say" };
  } catch (error) {
    return { unknown: describe(error) };
  }
}
