/** How long a large file and many small ones take into a container and out of it. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cli, run, timed } from "../command.ts";
import { betweenPrograms } from "../contest.ts";
import type { Contest, Figure } from "../figure.ts";
import { type Stage, WEB } from "../stage.ts";

const BOUND = 1.1;
const LARGE = 1_000_000_000;
const SMALL = 10_000;
/** Bytes of a small file. */
const SMALL_SIZE = 1_000;

interface Load {
  /** What is copied, and how a shell makes it in the directory it is in. */
  name: string;
  words: string;
  script: string;
}

const large: Load = {
  name: "large",
  words: "a file of 1 GB",
  script: `head -c ${LARGE} /dev/urandom > large`,
};
const small: Load = {
  name: "small",
  words: "10,000 files of 1,000 bytes",
  script: `mkdir small && head -c ${SMALL * SMALL_SIZE} /dev/urandom | split -a 4 -b ${SMALL_SIZE} - small/f`,
};

export const cpLargeIn: Figure = figure("cp-large-in", large, into);
export const cpLargeOut: Figure = figure("cp-large-out", large, outOf);
export const cpSmallIn: Figure = figure("cp-small-in", small, into);
export const cpSmallOut: Figure = figure("cp-small-out", small, outOf);

/** Copies once and gives the milliseconds; what was copied is gone again afterwards. */
type Copy = (cli: Cli, docker: Cli, at: { here: string; name: string }) => Promise<number>;

function figure(name: string, load: Load, copy: Copy): Figure {
  const way = copy === into ? "into" : "out of";
  return {
    about: `ctl cp against docker cp, ${load.words} ${way} a container, wall time`,
    measures: [{ name, unit: "ms", better: "lower", bound: BOUND }],
    open: (stage) => open(stage, load, copy),
  };
}

async function open(stage: Stage, { name, script }: Load, copy: Copy): Promise<Contest> {
  await stage.web();
  const docker = await stage.docker();
  const here = await mkdtemp(join(tmpdir(), "fl-bench-cp-"));
  await run({ file: "/bin/sh", args: ["-c", `cd "$0" && ${script}`, here] });
  await run(docker.command("cp", join(here, name), `${WEB}:/source-${name}`));
  const contest = await betweenPrograms(stage, (cli) => copy(cli, docker, { here, name }));
  return {
    ...contest,
    [Symbol.asyncDispose]: async () => {
      await run(docker.command("exec", WEB, "rm", "-rf", `/source-${name}`));
      await rm(here, { recursive: true, force: true });
    },
  };
}

async function into(cli: Cli, docker: Cli, { here, name }: { here: string; name: string }): Promise<number> {
  const taken = await timed(() => run(cli.command("cp", join(here, name), `${WEB}:/copy`)));
  await run(docker.command("exec", WEB, "rm", "-r", "/copy"));
  return taken;
}

/** What is fast must also be right. */
async function outOf(cli: Cli, _docker: Cli, { here, name }: { here: string; name: string }): Promise<number> {
  const copy = join(here, "copy");
  const taken = await timed(() => run(cli.command("cp", `${WEB}:/source-${name}`, copy)));
  await run({ file: "diff", args: ["-r", join(here, name), copy] });
  await rm(copy, { recursive: true });
  return taken;
}
