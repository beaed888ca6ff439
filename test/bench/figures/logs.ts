/** How long the log of a million lines takes through a pipe. */

import { type Cli, runInto, timed } from "../command.ts";
import { betweenPrograms } from "../contest.ts";
import type { Figure } from "../figure.ts";
import { LOG } from "../stage.ts";

export const logs: Figure = {
  about: "ctl logs against docker logs, a million lines of 114 bytes to a pipe, wall time",
  measures: [{ name: "logs", unit: "ms", better: "lower", bound: 1.05 }],
  async open(stage) {
    const [container, ctl, docker] = await Promise.all([stage.longLog(), stage.ctl(), stage.docker()]);
    const [ours, theirs] = [await checksum(ctl, container), await checksum(docker, container)];
    if (ours !== theirs) throw new Error("ctl logs and docker logs differ");
    return betweenPrograms(stage, (cli) => timed(() => read(cli, container)));
  },
};

/** What is fast must first be right. */
function checksum(cli: Cli, container: string): Promise<string> {
  return runInto(cli.command("logs", container), "sha256sum");
}

async function read(cli: Cli, container: string): Promise<void> {
  const bytes = Number(await runInto(cli.command("logs", container), "wc -c"));
  if (bytes !== LOG.lines * LOG.line) throw new Error(`${bytes} bytes arrived of ${LOG.lines * LOG.line}`);
}
