/** How long a keystroke takes to a command in the container and back. */

import { type Cli, Running } from "../command.ts";
import { betweenPrograms } from "../contest.ts";
import type { Figure } from "../figure.ts";
import { lineOf, roundTrips } from "../probes/echo.ts";
import { WEB } from "../stage.ts";
import { median } from "../statistics.ts";

/** Strokes that are not counted: the program and its connection are still starting. */
const WARM_UP = 100;
const COUNT = 2_000;

export const execEcho: Figure = {
  about: "ctl exec -i against docker exec -i, one byte to cat and back, median",
  measures: [{ name: "exec-echo", unit: "us", better: "lower", bound: 1.5 }],
  open: (stage) => betweenPrograms(stage, keystroke),
};

export const bareExecEcho: Figure = {
  about: "two programs of Node's that only pass bytes on against docker exec -i, one byte to cat and back, median",
  measures: [{ name: "bare-exec-echo", unit: "us", better: "lower" }],
  open: (stage) => betweenPrograms(stage, keystroke, "bare"),
};

async function keystroke(cli: Cli): Promise<number> {
  await using cat = new Running(cli.command("exec", "-i", WEB, "cat"));
  await roundTrips(lineOf(cat), { count: WARM_UP, pause: 0 });
  return median(await roundTrips(lineOf(cat), { count: COUNT, pause: 0 }));
}
