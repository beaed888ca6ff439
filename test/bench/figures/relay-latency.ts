/** How long one byte takes through a server: in a forwarded connection, and as a keystroke to a command. */

import { Running } from "../command.ts";
import { ECHO_PORT } from "../container/ports.ts";
import type { Figure } from "../figure.ts";
import { dial, lineOf, roundTrips } from "../probes/echo.ts";
import { WEB } from "../stage.ts";
import { median } from "../statistics.ts";
import { betweenForwardedWays, betweenWays } from "../ways.ts";

/** Strokes that are not counted: programs and connections are still warming up. */
const WARM_UP = { count: 200, pause: 0 };
const STROKES = { count: 2_000, pause: 0 };
const BOUND = 2;

export const relayLatency: Figure = {
  about: "ctl port-forward through a server against the same directly to the agent, one byte there and back, median",
  measures: [{ name: "relay-latency", unit: "us", better: "lower", bound: BOUND }],
  open: (stage) =>
    betweenForwardedWays(stage, ECHO_PORT, async (port) => {
      const socket = await dial(port);
      const line = { input: socket, output: socket };
      await roundTrips(line, WARM_UP);
      const times = await roundTrips(line, STROKES);
      socket.destroy();
      return median(times);
    }),
};

export const relayEcho: Figure = {
  about: "ctl exec -i through a server against the same directly to the agent, one byte to cat and back, median",
  measures: [{ name: "relay-echo", unit: "us", better: "lower", bound: BOUND }],
  open: (stage) =>
    betweenWays(stage, async (way) => {
      await using cat = new Running(way.command("exec", "-i", way.name(WEB), "cat"));
      await roundTrips(lineOf(cat), WARM_UP);
      return median(await roundTrips(lineOf(cat), STROKES));
    }),
};
