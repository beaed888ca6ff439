/** How long a large file and many small ones take into a container and out of it. */

import { mkdtemp, rm } from "node:fs/promises";
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
  /**
   * Whether each copy stays until the run ends. Who makes a file on ext4 has to pass over all inodes that were deleted
   * there in the last minutes: 10,000 of them cost the next copy three times what it takes by itself.
   */
  stays: boolean;
}

const large: Load = {
  name: "large",
  words: "a file of 1 GB",
  script: `head -c ${LARGE} /dev/urandom > large`,
  stays: false,
};
const small: Load = {
  name: "small",
  words: "10,000 files of 1,000 bytes",
  script: `mkdir small && head -c ${SMALL * SMALL_SIZE} /dev/urandom | split -a 4 -b ${SMALL_SIZE} - small/f`,
  stays: true,
};

export const cpLargeIn: Figure = figure("cp-large-in", large, into);
export const cpLargeOut: Figure = figure("cp-large-out", large, outOf);
export const cpSmallIn: Figure = figure("cp-small-in", small, into);
export const cpSmallOut: Figure = figure("cp-small-out", small, outOf);
export const bareCpIn: Figure = {
  about: `two programs of Node's that only pass bytes on against docker cp, ${large.words} into a container, wall time`,
  measures: [{ name: "bare-cp-in", unit: "ms", better: "lower" }],
  open: (stage) => open(stage, { load: large, copy: into, who: "bare" }),
};

/** Copies once and gives the milliseconds. */
type Copy = (cli: Cli, docker: Cli, at: Place) => Promise<number>;

interface Place {
  /** The directory on this machine, and what is copied: there, or in the container as `/source-NAME`. */
  here: string;
  load: Load;
  /** What the copy is to be called, which nothing is called yet. */
  copy: string;
}

function figure(name: string, load: Load, copy: Copy): Figure {
  const way = copy === into ? "into" : "out of";
  return {
    about: `ctl cp against docker cp, ${load.words} ${way} a container, wall time`,
    measures: [{ name, unit: "ms", better: "lower", bound: BOUND }],
    open: (stage) => open(stage, { load, copy, who: "ctl" }),
  };
}

interface Task {
  load: Load;
  copy: Copy;
  who: "ctl" | "bare";
}

async function open(stage: Stage, { load, copy, who }: Task): Promise<Contest> {
  const { name, script } = load;
  await stage.web();
  const docker = await stage.docker();
  const here = await mkdtemp(join(await stage.directory(), "cp-"));
  await run({ file: "/bin/sh", args: ["-c", `cd "$0" && ${script}`, here] });
  if (copy === outOf) await run(docker.command("cp", join(here, name), `${WEB}:/source-${name}`));
  let count = 0;
  const sample = (cli: Cli) => {
    count += 1;
    return copy(cli, docker, { here, load, copy: `copy-${name}-${count}` });
  };
  const contest = await betweenPrograms(stage, sample, who);
  return {
    ...contest,
    [Symbol.asyncDispose]: async () => {
      if (load.stays) return;
      await run(docker.command("exec", WEB, "rm", "-f", `/source-${name}`));
      await rm(here, { recursive: true });
    },
  };
}

async function into(cli: Cli, docker: Cli, { here, load, copy }: Place): Promise<number> {
  const taken = await timed(() => run(cli.command("cp", join(here, load.name), `${WEB}:/${copy}`)));
  if (!load.stays) await run(docker.command("exec", WEB, "rm", `/${copy}`));
  return taken;
}

/** What is fast must also be right. */
async function outOf(cli: Cli, _docker: Cli, { here, load, copy: name }: Place): Promise<number> {
  const copy = join(here, name);
  const taken = await timed(() => run(cli.command("cp", `${WEB}:/source-${load.name}`, copy)));
  await run({ file: "diff", args: ["-r", join(here, load.name), copy] });
  if (!load.stays) await rm(copy);
  return taken;
}
