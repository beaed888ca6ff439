/** How long a keystroke takes while a forward in the same connection carries all it can. */

import { setTimeout as delay } from "node:timers/promises";
import { Running } from "../command.ts";
import type { Contest, Figure } from "../figure.ts";
import { freePort } from "../../support/free-port.ts";
import { lineOf, roundTrips } from "../probes/echo.ts";
import { IPERF_PORT, throughput } from "../probes/iperf.ts";
import { type Stage, WEB } from "../stage.ts";
import { median, quantile } from "../statistics.ts";

/** How long the forward is saturated. */
const SECONDS = 5;
/** Milliseconds in which the load reaches its full rate. */
const RISE = 1_000;
/** Nobody types faster, and a line that is never idle would measure something else. */
const STROKES = { count: Number.POSITIVE_INFINITY, pause: 10 };

/**
 * `ctl` opens a connection for each command, so ours is a small program on the same client library, with both sessions
 * in one connection. The peer reaches the same command in the same container the way people do without us: `docker exec`
 * in a session of ssh's ControlMaster connection.
 * The load is a measure too: keystrokes beside a forward that carries little would prove nothing.
 */
export const echoUnderLoad: Figure = {
  about: "a keystroke beside a saturated forward in one connection, against ssh's ControlMaster connection",
  measures: [
    { name: "echo-under-load", unit: "us", better: "lower", bound: 1 },
    { name: "echo-under-load-p99", unit: "us", better: "lower", bound: 1 },
    { name: "echo-under-load-rate", unit: "Gbit/s", better: "higher", bound: 0.8 },
  ],
  async open(stage) {
    await using stack = new AsyncDisposableStack();
    const [ours, peer] = [await openOurs(stage, stack), await openPeer(stage, stack)];
    const owned = stack.move();
    return { ours, peer, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  },
};

async function openOurs(stage: Stage, stack: AsyncDisposableStack): Promise<Contest["ours"]> {
  await stage.web();
  const [ctl, port] = [await stage.ctl(), await freePort()];
  const session = stack.use(new Running(ctl.program("shared.ts", WEB, String(port), String(IPERF_PORT), "cat")));
  await session.ready(/ready/);
  return () => sample(session, port);
}

async function openPeer(stage: Stage, stack: AsyncDisposableStack): Promise<Contest["peer"]> {
  const [address, sshd, port] = [await stage.web(), await stage.sshd(), await freePort()];
  stack.use(await sshd.forward(address, new Map([[port, IPERF_PORT]])));
  const { file, args } = (await stage.docker()).command("exec", "-i", WEB, "cat");
  const session = stack.use(new Running(sshd.beside([file, ...args].join(" "))));
  return () => sample(session, port);
}

/** Strokes end with the load: one that follows it would not have met it. */
async function sample(session: Running, port: number): Promise<number[]> {
  const loaded = new AbortController();
  const load = throughput({ port, direction: "down", seconds: SECONDS }).finally(() => loaded.abort());
  const strokes = delay(RISE).then(() => roundTrips(lineOf(session), { ...STROKES, signal: loaded.signal }));
  const [rate, times] = await Promise.all([load, strokes]);
  return [median(times), quantile(times, 0.99), rate];
}
