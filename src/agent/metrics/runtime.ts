/** The machine with a watch on it: how long the engine's calls take, and why they fail. */

import { Counter, Histogram, type Registry } from "prom-client";
import { type Runtime, RuntimeError } from "../runtime/runtime.ts";

/** Seconds. A stop takes as long as the container does. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
/** Whoever had asked did not wait any longer. */
const GIVEN_UP = "given-up";

/** Does what `runtime` does. What goes on for long (logs, statistics, the watch) is neither timed nor slowed down. */
export function meteredRuntime(runtime: Runtime, registry: Registry): Runtime {
  const timed = stopwatch(registry);
  return {
    info: (signal) => timed("info", signal, () => runtime.info(signal)),
    list: (signal) => timed("list", signal, () => runtime.list(signal)),
    inspect: (id, signal) => timed("inspect", signal, () => runtime.inspect(id, signal)),
    watch: (signal) => runtime.watch(signal),
    events: (since, signal) => timed("events", signal, () => runtime.events(since, signal)),
    logs: (id, options, signal) => runtime.logs(id, options, signal),
    stats: (id, signal) => runtime.stats(id, signal),
    exec: (id, spec, signal) => timed("exec", signal, () => runtime.exec(id, spec, signal)),
    attach: (id, spec, signal) => timed("attach", signal, () => runtime.attach(id, spec, signal)),
    dial: (id, port, signal) => timed("dial", signal, () => runtime.dial(id, port, signal)),
    dialBulk: (id, port, signal) => timed("dial", signal, () => runtime.dialBulk(id, port, signal)),
    control: (id, order, signal) => timed(order.kind, signal, () => runtime.control(id, order, signal)),
    copyOut: (id, what, signal) => timed("copy-out", signal, () => runtime.copyOut(id, what, signal)),
    copyIn: (id, path, signal) => timed("copy-in", signal, () => runtime.copyIn(id, path, signal)),
    recover: (signal) => runtime.recover(signal),
    close: () => runtime.close(),
  };
}

function stopwatch(registry: Registry): <T>(verb: string, signal: AbortSignal, call: () => Promise<T>) => Promise<T> {
  const registers = [registry];
  const seconds = new Histogram({
    name: "fairlead_engine_call_seconds",
    help: "How long what was asked of the container engine took, where it was done.",
    labelNames: ["verb"],
    buckets: BUCKETS,
    registers,
  });
  const failures = new Counter({
    name: "fairlead_engine_call_failures_total",
    help: "What was asked of the container engine and not done, by why.",
    labelNames: ["verb", "code"],
    registers,
  });
  return async (verb, signal, call) => {
    const began = performance.now();
    try {
      const result = await call();
      seconds.observe({ verb }, (performance.now() - began) / 1_000);
      return result;
    } catch (error) {
      const code = signal.aborted ? GIVEN_UP : error instanceof RuntimeError ? error.code : "internal";
      failures.inc({ verb, code });
      throw error;
    }
  };
}
