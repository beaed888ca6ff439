/** `ctl attach`: listens and talks to the main process of a container. */

import { Command, InvalidArgumentError } from "commander";
import type { AttachBody } from "../../protocol/open.ts";
import { Conversation } from "../conversation.ts";
import type { Invocation } from "../invocation.ts";
import { parseKeys } from "../keys.ts";
import { LinkStatus } from "../link-status.ts";
import { nodeOf, placeOf } from "../place.ts";
import type { Entry } from "./entry.ts";

interface Options {
  /** False after --no-stdin. */
  stdin: boolean;
  detachKeys: string;
  sigProxy: boolean;
}

const PROXIED: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGUSR2"];
/** A main process may ignore signals: at so many of one kind `ctl` lets go. */
const PATIENCE = 3;

const EXAMPLES = `
Examples:
  ctl attach web                          see what it writes from now on, and type to it
  ctl attach --no-stdin web               only look
  ctl attach --detach-keys ctrl-x,q web   leave with Ctrl-X q instead of Ctrl-P Ctrl-Q
  ctl attach --sig-proxy=false web        Ctrl-C leaves and the container goes on

Ends with the container, with its exit code. A container without a terminal is sent the signals that ctl gets, Ctrl-C
included, unless with --no-stdin; the third one of a kind only ends ctl. Closing the window never stops the container.`;

export function attachCommand(invocation: Invocation): Entry {
  const command = new Command("attach")
    .description("See what a container's main process writes, and type to it.")
    .argument("<container>", "its id, name or project/service")
    .option("--no-stdin", "do not pass standard input on")
    .option("--detach-keys <keys>", "keys that leave the container alone", "ctrl-p,ctrl-q")
    .option("--sig-proxy [yes]", "pass signals on to the process", truth, true)
    .option("--no-sig-proxy", "keep signals here")
    .addHelpText("after", EXAMPLES);
  return { command, work: (container: string, options: Options) => attach(invocation, container, options) };
}

async function attach(invocation: Invocation, container: string, options: Options): Promise<number> {
  const { terminal, messages } = invocation;
  const detachKeys = parseKeys(options.detachKeys);
  const status = new LinkStatus(messages);
  const client = (await invocation.connection()).client(status);
  const size = terminal.size;
  const body: AttachBody = { stdin: options.stdin, stdout: true, stderr: true, ...(size && { size }) };
  const place = placeOf(container);
  const session = await client.attach(place.container, body, nodeOf(place));
  messages.explain(() => `session ${session.id} at container ${session.container?.name} (${session.container?.id})`);
  const tty = session.tty === true;
  const proxied = options.sigProxy && options.stdin && !tty ? PROXIED : [];
  const talk = { session, client, status, stdin: options.stdin, tty, proxied, patience: PATIENCE, detachKeys };
  return new Conversation(talk, invocation).run();
}

function truth(text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new InvalidArgumentError("Write true or false.");
}
