/** `ctl cp`: files and directories between a container and this machine. */

import { randomBytes } from "node:crypto";
import { getSystemErrorMap } from "node:util";
import { Command } from "commander";
import type { Client } from "../../client/client.ts";
import type { RemoteSession } from "../../client/session.ts";
import type { End } from "../copy/end.ts";
import type { Transfer } from "../copy/transfer.ts";
import { exitOfSignal, Failure, UsageError } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { LinkStatus } from "../link-status.ts";
import type { Messages } from "../messages.ts";
import { nodeOf } from "../place.ts";
import type { Entry } from "./entry.ts";

interface Options {
  archive?: boolean;
  followLink?: boolean;
}

/** Of AES-128, in bytes. */
const KEY = 16;

const EXAMPLES = `
Examples:
  ctl cp web:/etc/hosts .                   a file, into this directory
  ctl cp site web:/srv                      a directory, as /srv/site where /srv exists, else as /srv
  ctl cp site/. web:/srv                    what is in it, into /srv
  ctl cp web:/srv - | gzip > srv.tar.gz     as an archive, to a pipe
  gzip -dc srv.tar.gz | ctl cp - web:/srv   an archive from a pipe, unpacked in /srv

What lands where follows docker cp. The container need not run and needs no tar. Everything belongs to root over there
and to you here, unless --archive keeps the owners.

Here a copy appears when it is complete, or not at all. In the container the engine unpacks what comes as it comes: a
copy that is broken off leaves what came before. Links that lead out of what was copied, devices and pipes are left out
here, which ends with exit code 1.`;

export function cpCommand(invocation: Invocation): Entry {
  const command = new Command("cp")
    .description("Copy files between a container and this machine.")
    .argument("<source>", "CONTAINER:PATH, a path here, or - for an archive from standard input")
    .argument("<destination>", "CONTAINER:PATH, a path here, or - for an archive to standard output")
    .option("-a, --archive", "keep the owners' numbers (here: also the set-id bits; needs root)")
    .option("-L, --follow-link", "of a source that is a link copy what it leads to")
    .addHelpText("after", EXAMPLES);
  return {
    command,
    work: (source: string, destination: string, options: Options) =>
      cp(invocation, {
        source,
        destination,
        owners: options.archive ?? false,
        follow: options.followLink ?? false,
      }).catch((error: unknown) => {
        throw told(error);
      }),
  };
}

interface Wish {
  source: string;
  destination: string;
  owners: boolean;
  follow: boolean;
}

/** What does the work is loaded here: no other command has to wait for it. */
async function cp(invocation: Invocation, wish: Wish): Promise<number> {
  const { parseEnd } = await import("../copy/end.ts");
  const from = parseEnd(wish.source);
  const to = parseEnd(wish.destination);
  if (to.at === "container") {
    if (from.at !== "container") return take(invocation, wish, { from, to });
    throw new UsageError(
      `Between two containers an archive has to be passed on: ctl cp ${wish.source} - | ctl cp - CONTAINER:DIRECTORY.`,
    );
  }
  if (from.at === "container") return bring(invocation, wish, { from, to });
  throw new UsageError("One of the two must be in a container: CONTAINER:PATH.");
}

/** What the file system here refuses is no fault of ours. */
function told(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { errno = 0, path } = error as NodeJS.ErrnoException;
  const [, words] = getSystemErrorMap().get(errno) ?? [];
  return path && words ? new Failure(`${path}: ${words}.`, { cause: error, exit: 1 }) : error;
}

type Inside = Extract<End, { at: "container" }>;
type Outside = Exclude<End, { at: "container" }>;

async function bring(invocation: Invocation, wish: Wish, { from, to }: { from: Inside; to: Outside }): Promise<number> {
  const { copyOut, copyOutToPipe } = await import("../copy/copy-out.ts");
  if (to.at === "pipe" && invocation.stdout.isTerminal)
    throw new UsageError("An archive is not for a terminal. Write a path, or | tar t after the command.");
  const body = { path: rooted(from.path), follow: wish.follow };
  const open = (client: Client, gmac: string) => client.copyOut(from.container, { ...body, gmac }, nodeOf(from));
  return during(invocation, { open, what: wish.source }, (session, transfer) => {
    const copy = { session, transfer, from, owners: wish.owners };
    return to.at === "pipe" ? copyOutToPipe(invocation, copy) : copyOut(invocation, { ...copy, to: to.path });
  });
}

async function take(invocation: Invocation, wish: Wish, { from, to }: { from: Outside; to: Inside }): Promise<number> {
  const { copyIn, copyInFromPipe, loadOf } = await import("../copy/copy-in.ts");
  if (from.at === "pipe" && invocation.terminal.hasKeyboard)
    throw new UsageError("Nobody types an archive. Write a path, or tar c ... | before the command.");
  const load = from.at === "here" ? loadOf(from.path, wish) : undefined;
  const path = rooted(to.path);
  const open = (client: Client, gmac: string) => client.copyIn(to.container, { path, gmac }, nodeOf(to));
  return during(invocation, { open, what: wish.destination }, async (session, transfer) => {
    const { place } = await session.opened;
    if (!place) throw new Failure("The agent is too old for this. Update it.");
    const copy = { transfer, to, place };
    return load ? copyIn(invocation, { ...copy, load, owners: wish.owners }) : copyInFromPipe(invocation, copy);
  });
}

interface Opening {
  /** The key is for the digest. */
  open: (client: Client, key: string) => Promise<RemoteSession>;
  /** For the progress. */
  what: string;
}

type Work = (session: RemoteSession, transfer: Transfer) => Promise<number>;

/** Opens the session and says goodbye to it again; a signal ends the work, and is the exit code. */
async function during(invocation: Invocation, { open, what }: Opening, work: Work): Promise<number> {
  const [{ Progress }, { Transfer }] = await Promise.all([
    import("../copy/progress.ts"),
    import("../copy/transfer.ts"),
  ]);
  const { messages } = invocation;
  const client = (await invocation.connection()).client({ onState: new LinkStatus(messages).onState, bulk: true });
  const key = randomBytes(KEY);
  const session = await open(client, key.toString("hex"));
  await explain(session, messages);
  const progress = new Progress(messages, what);
  let stopped: NodeJS.Signals | undefined;
  const release = invocation.onSignals(["SIGINT", "SIGTERM", "SIGHUP"], (signal) => {
    stopped ??= signal;
    void session.close();
  });
  try {
    return await work(session, new Transfer({ session, key, progress }));
  } catch (error) {
    if (stopped) return exitOfSignal(stopped);
    throw error;
  } finally {
    release();
    progress.close();
    await client.close();
  }
}

async function explain(session: RemoteSession, messages: Messages): Promise<void> {
  const { warning, container } = await session.opened;
  if (warning) messages.say(`Warning: ${warning}`);
  messages.explain(() => `session ${session.id} in container ${container?.name} (${container?.id})`);
}

/** A path in a container begins at its root. */
function rooted(path: string): string {
  return path.startsWith("/") ? path : `/${path}`;
}
