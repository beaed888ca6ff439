/** How long a command that does nothing takes, from the terminal's prompt to the prompt. */

import { type Cli, run, timed } from "../command.ts";
import { betweenPrograms } from "../contest.ts";
import type { Figure } from "../figure.ts";
import { WEB } from "../stage.ts";
import { median } from "../statistics.ts";

const COUNT = 11;

export const execTrue: Figure = {
  about: "ctl exec against docker exec, a command that does nothing, median",
  measures: [{ name: "exec-true", unit: "ms", better: "lower", bound: 2 }],
  open: (stage) => betweenPrograms(stage, execute),
};

async function execute(cli: Cli): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < COUNT; i++) times.push(await timed(() => run(cli.command("exec", WEB, "true"))));
  return median(times);
}
