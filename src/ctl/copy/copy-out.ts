/** From a container to this machine: complete at its place, or not there at all. */

import { lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { RemoteSession } from "../../client/session.ts";
import { Failure } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { ArchiveEnd, ENDED_EARLY } from "./archive-end.ts";
import { assertsDirectory, type End, meansContents, nameOf } from "./end.ts";
import { type Destination, land } from "./landing.ts";
import { Staging } from "./staging.ts";
import type { Transfer } from "./transfer.ts";
import { unpack } from "./unpack.ts";

/** Left out because it cannot be had here: the copy is there, but not as whole as was asked for. */
const EXIT_INCOMPLETE = 1;
/** Of what was left out so much is named. */
const NAMED = 10;

export interface CopyOut {
  session: RemoteSession;
  transfer: Transfer;
  from: Extract<End, { at: "container" }>;
  owners: boolean;
}

/** Resolves with the exit code. Rejects when nothing was copied. */
export async function copyOut(invocation: Invocation, copy: CopyOut & { to: string }): Promise<number> {
  const { from, to, transfer, owners } = copy;
  const place = await placeOf(copy, to);
  const staging = new Staging(place.into === "itself" ? place.path : dirname(place.path));
  try {
    const recycle = (bytes: Uint8Array) => transfer.recycle(bytes);
    const { leftOut, seal } = await unpack(transfer.receive(), { root: staging.root, owners, recycle });
    if (!lstatSync(staging.root, { throwIfNoEntry: false }))
      throw new Failure(`${from.container}:${from.path} cannot be copied: ${leftOut[0] ?? "nothing came"}.`, {
        exit: 1,
      });
    const end = place.into === "itself" ? join(place.path, place.name) : place.path;
    staging.commit(end);
    seal(end);
    return tellLeftOut(invocation, leftOut);
  } finally {
    staging.discard();
  }
}

/** As an archive, into a pipe. Rejects for one that is not whole, with all of it in the pipe. */
export async function copyOutToPipe({ stdout }: Invocation, { transfer }: CopyOut): Promise<number> {
  const end = new ArchiveEnd();
  for await (const bytes of transfer.receive()) {
    end.add(bytes);
    await stdout.write(bytes, () => transfer.recycle(bytes));
  }
  if (!end.isWhole) throw new Failure(`${ENDED_EARLY} What came of it is in the pipe. Run it again.`, { exit: 1 });
  return 0;
}

async function placeOf({ session, from }: CopyOut, to: string) {
  const { place } = await session.opened;
  const shown = `${from.container}:${from.path}`;
  if (place?.kind === "link")
    throw new Failure(`${shown} is a link to ${place.target}. Add -L to copy what it leads to.`, { exit: 1 });
  const name = nameOf(from);
  const departure = { directory: place?.kind === "directory", name, contents: meansContents(from.path), shown };
  const { path, ...destination } = destinationOf(to);
  return { ...land(departure, destination), path };
}

/** What is there now; a link leads to what it means. */
function destinationOf(to: string): Destination & { path: string } {
  const facts = { name: basename(resolve(to)), asserted: assertsDirectory(to), shown: to };
  const there = statSync(to, { throwIfNoEntry: false });
  if (!there) return { ...facts, kind: "absent", path: placeToBe(resolve(to)) };
  if (!there.isDirectory() && !there.isFile())
    throw new Failure(`${to} is neither a file nor a directory. Write - to get the archive into a pipe.`, { exit: 1 });
  return { ...facts, kind: there.isDirectory() ? "directory" : "file", path: realpathSync(to) };
}

/** Nothing is there yet; of a link that leads to nothing it is where that leads. */
function placeToBe(path: string): string {
  const parent = dirname(path);
  const above = statSync(parent, { throwIfNoEntry: false });
  if (!above) throw new Failure(`The directory ${parent} does not exist. Make it first.`, { exit: 1 });
  if (!above.isDirectory()) throw new Failure(`${parent} is not a directory.`, { exit: 1 });
  const link = lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink();
  return link ? placeToBe(resolve(realpathSync(parent), readlinkSync(path))) : path;
}

function tellLeftOut({ messages }: Invocation, leftOut: string[]): number {
  if (leftOut.length === 0) return 0;
  for (const each of leftOut.slice(0, NAMED)) messages.say(`Left out ${each}.`);
  if (leftOut.length > NAMED) messages.say(`Left out ${leftOut.length - NAMED} more.`);
  return EXIT_INCOMPLETE;
}
