/** `ctl start`, `stop`, `restart` and `rm`: what is done to containers as a whole. */

import { Command, InvalidArgumentError } from "commander";
import { ContainerName } from "../../protocol/container.ts";
import { MAX_STOP_TIMEOUT } from "../../protocol/query.ts";
import type { Call } from "../connection/http.ts";
import { forEach } from "../each.ts";
import type { Invocation } from "../invocation.ts";
import { ofOneHost } from "../one-host.ts";
import { addressOf, placeOf, typedName } from "../place.ts";
import type { Entry } from "./entry.ts";

interface StopOptions {
  /** Seconds. */
  time?: number;
}

interface RemoveOptions {
  force?: boolean;
  volumes?: boolean;
}

/** Milliseconds for the agent and its engine beyond the time that the container has to stop. */
const SPARE_MS = 60_000;
/** Milliseconds for a container that was made with a time of its own to stop. */
const PATIENCE_MS = 600_000;

export function startCommand(invocation: Invocation): Entry {
  const command = lifecycleCommand("start", "Start containers that do not run.").addHelpText(
    "after",
    `
Examples:
  ctl start web
  ctl start web db                the name of each is printed when it runs`,
  );
  return { command, work: (containers: string[]) => order(invocation, containers, { method: "POST", path: "/start" }) };
}

export function stopCommand(invocation: Invocation): Entry {
  const command = stopping("stop", "Stop containers: the polite signal first, then KILL.").addHelpText(
    "after",
    `
Examples:
  ctl stop web db
  ctl stop -t 60 db               give it a minute before it is killed
  ctl ps -o name | xargs ctl stop`,
  );
  return {
    command,
    work: (containers: string[], options: StopOptions) => stop(invocation, containers, { kind: "stop", ...options }),
  };
}

export function restartCommand(invocation: Invocation): Entry {
  const command = stopping("restart", "Stop containers and start them again.").addHelpText(
    "after",
    `
Examples:
  ctl restart web
  ctl restart -t 0 shop/worker    kill it at once`,
  );
  return {
    command,
    work: (containers: string[], options: StopOptions) => stop(invocation, containers, { kind: "restart", ...options }),
  };
}

export function removeCommand(invocation: Invocation): Entry {
  const command = lifecycleCommand("rm", "Remove containers that do not run.")
    .option("-f, --force", "kill those that run")
    .option("-v, --volumes", "their anonymous volumes too")
    .addHelpText(
      "after",
      `
Examples:
  ctl rm web                      its named volumes stay, and without -v the others too
  ctl rm -fv web db`,
    );
  return { command, work: (containers: string[], options: RemoveOptions) => remove(invocation, containers, options) };
}

function lifecycleCommand(name: string, description: string): Command {
  return new Command(name).description(description).argument("<container...>", "their ids, names or project/service");
}

function stopping(name: string, description: string): Command {
  return lifecycleCommand(name, description).option(
    "-t, --time <seconds>",
    "how long they may take before they are killed (default: what each was made with)",
    secondsOf,
  );
}

function stop(
  invocation: Invocation,
  containers: string[],
  { kind, time }: StopOptions & { kind: "stop" | "restart" },
): Promise<number> {
  const path = time === undefined ? `/${kind}` : `/${kind}?timeout=${time}`;
  return order(invocation, containers, {
    method: "POST",
    path,
    ...(time !== undefined && { patience: time * 1000 + SPARE_MS }),
  });
}

function remove(invocation: Invocation, containers: string[], { force, volumes }: RemoveOptions): Promise<number> {
  const options = [force && "force=true", volumes && "volumes=true"].filter(Boolean).join("&");
  return order(invocation, containers, { method: "DELETE", path: options && `?${options}` });
}

/** `path` is what follows the container's own. Prints the name of each when it is done. */
async function order(invocation: Invocation, containers: string[], { path, ...call }: Call): Promise<number> {
  const connection = await invocation.connection();
  return forEach(invocation, containers, async (container) => {
    const { node } = placeOf(container);
    const asked = { patience: PATIENCE_MS, ...call, path: `${addressOf(container)}${path}` };
    const { name } = ContainerName.parse(await ofOneHost({ connection, node }, () => connection.send(asked)));
    return `${typedName(node, name)}\n`;
  });
}

function secondsOf(text: string): number {
  if (/^\d{1,4}$/.test(text) && Number(text) <= MAX_STOP_TIMEOUT) return Number(text);
  throw new InvalidArgumentError(`Write seconds, at most ${MAX_STOP_TIMEOUT}.`);
}
