/** From this machine into a container, whose engine unpacks the archive as it comes. */

import { lstatSync, statSync } from "node:fs";
import { realpathSync } from "node:fs";
import type { CopyPlace } from "../../protocol/open.ts";
import { Failure } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { assertsDirectory, type End, meansContents, nameOf } from "./end.ts";
import { type Departure, land } from "./landing.ts";
import { packTree } from "./pack.ts";
import type { Transfer } from "./transfer.ts";

/** What cannot be put into an archive was left out. */
const EXIT_INCOMPLETE = 1;

/** What is to be copied; it is looked at before anybody is asked for anything. */
export interface Load extends Departure {
  path: string;
}

/** A link itself is copied, unless it is to be followed or is written as a directory. Throws {@link Failure}. */
export function loadOf(path: string, { follow }: { follow: boolean }): Load {
  const through = follow || assertsDirectory(path);
  const stats = (through ? statSync : lstatSync)(path, { throwIfNoEntry: false });
  if (!stats) throw new Failure(`There is no ${path} here.`, { exit: 1 });
  if (assertsDirectory(path) && !stats.isDirectory())
    throw new Failure(`${path} is not a directory. Leave out the slash at its end.`, { exit: 1 });
  const facts = { name: nameOf({ at: "here", path }), contents: meansContents(path), shown: path };
  return { ...facts, directory: stats.isDirectory(), path: through ? realpathSync(path) : path };
}

export interface CopyIn {
  transfer: Transfer;
  to: Extract<End, { at: "container" }>;
  place: CopyPlace;
}

/** Resolves with the exit code. */
export async function copyIn(
  { messages }: Invocation,
  { transfer, to, place, load, owners }: CopyIn & { load: Load; owners: boolean },
): Promise<number> {
  const kind = place.kind === "directory" || place.kind === "absent" ? place.kind : "file";
  const shown = `${to.container}:${to.path}`;
  const { name } = land(load, { kind, name: place.name, asserted: assertsDirectory(to.path), shown });
  let exit = 0;
  const leaveOut = (path: string, why: string) => {
    exit = EXIT_INCOMPLETE;
    messages.say(`Left out ${path}: ${why}.`);
  };
  await transfer.send(packTree(load.path, { name, owners, leaveOut }));
  return exit;
}

/** An archive out of a pipe goes where it is, as it is. */
export async function copyInFromPipe({ world }: Invocation, { transfer, to, place }: CopyIn): Promise<number> {
  if (place.kind !== "directory")
    throw new Failure(`${to.container}:${to.path} is no directory that exists; an archive is unpacked in one.`, {
      exit: 1,
    });
  await transfer.send(world.stdin as AsyncIterable<Uint8Array>);
  return 0;
}
