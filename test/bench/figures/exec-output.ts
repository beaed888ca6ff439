/** How long five hundred megabytes take from a command in the container through a pipe. */

import { type Cli, runInto, timed } from "../command.ts";
import { betweenPrograms } from "../contest.ts";
import type { Figure } from "../figure.ts";
import { WEB } from "../stage.ts";

const BLOCK = 100_000;
const BLOCKS = 5_000;

export const execOutput: Figure = {
  about: "ctl exec against docker exec, 500 MB to a pipe, wall time",
  measures: [{ name: "exec-output", unit: "ms", better: "lower", bound: 1.05 }],
  open: (stage) => betweenPrograms(stage, (cli) => timed(() => pour(cli))),
};

export const bareExecOutput: Figure = {
  about: "two programs of Node's that only pass bytes on against docker exec, 500 MB to a pipe, wall time",
  measures: [{ name: "bare-exec-output", unit: "ms", better: "lower" }],
  open: (stage) => betweenPrograms(stage, (cli) => timed(() => pour(cli)), "bare"),
};

async function pour(cli: Cli): Promise<void> {
  const zeros = ["dd", "if=/dev/zero", `bs=${BLOCK}`, `count=${BLOCKS}`, "status=none"];
  const bytes = Number(await runInto(cli.command("exec", WEB, ...zeros), "wc -c"));
  if (bytes !== BLOCK * BLOCKS) throw new Error(`${bytes} bytes arrived of ${BLOCK * BLOCKS}`);
}
