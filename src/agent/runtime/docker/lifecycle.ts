/** Starts, stops, restarts and removes containers. */

import type Docker from "dockerode";
import { type Order, RuntimeError } from "../runtime.ts";
import { rawInspect, requireId } from "./containers.ts";
import type { Engine } from "./engine.ts";

/** Seconds from the polite signal to KILL where a container was not made with its own. */
const STOP_TIMEOUT = 10;
/** The engine's answer where there is nothing to do. */
const NOT_MODIFIED = 304;

/** As {@link Runtime.control}; an engine that is waiting for the container to end is not silent. */
export async function controlContainer(
  engine: Engine,
  { id, order }: { id: string; order: Order },
  signal: AbortSignal,
): Promise<void> {
  requireId(id);
  const stops = order.kind === "stop" || order.kind === "restart";
  const seconds = stops ? (order.timeout ?? (await stopTimeout(engine, id, signal))) : 0;
  const work = (docker: Docker, abortSignal: AbortSignal) =>
    carryOut(docker.getContainer(id), order, abortSignal).catch(unlessDone);
  try {
    await engine.call(signal, work, engine.timeout + seconds * 1000);
  } catch (error) {
    throw reworded(error, order);
  }
}

function carryOut(container: Docker.Container, order: Order, abortSignal: AbortSignal): Promise<unknown> {
  switch (order.kind) {
    case "start":
      return container.start({ abortSignal });
    case "stop":
    case "restart":
      return container[order.kind]({ ...(order.timeout !== undefined && { t: order.timeout }), abortSignal });
    case "remove":
      return container.remove({ force: order.force, v: order.volumes, abortSignal });
  }
}

async function stopTimeout(engine: Engine, id: string, signal: AbortSignal): Promise<number> {
  const { Config: config } = await rawInspect(engine, id, signal);
  return (config as { StopTimeout?: number }).StopTimeout ?? STOP_TIMEOUT;
}

function unlessDone(error: unknown): void {
  if ((error as { statusCode?: unknown } | null)?.statusCode !== NOT_MODIFIED) throw error;
}

/** For these requests the engine's 409 is about any state, and its 400 about the container: the request has nothing to be wrong. */
function reworded(error: unknown, { kind }: Order): unknown {
  if (!(error instanceof RuntimeError)) return error;
  if (error.code === "not-running") return new RuntimeError("conflict", error.message, { cause: error });
  if (error.code === "invalid" && kind !== "remove")
    return new RuntimeError("engine-error", error.message, { cause: error });
  return error;
}
