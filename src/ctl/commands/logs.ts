/** `ctl logs`: what containers have written and go on writing. */

import { Command, InvalidArgumentError } from "commander";
import type { LogsBody } from "../../protocol/open.ts";
import { exitOfSignal, verdictOf } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { LinkStatus } from "../link-status.ts";
import { LogReader } from "../log-reader.ts";
import { sinksFor } from "../log-sinks.ts";
import { placeOf } from "../place.ts";
import { timeOf } from "../time-option.ts";
import type { Entry } from "./entry.ts";

interface Options {
  follow?: boolean;
  tail?: number | "all";
  since?: string;
  until?: string;
  timestamps?: boolean;
  stdout?: boolean;
  stderr?: boolean;
  grep?: string;
  raw?: boolean;
}

const MAX_TAIL = 10_000_000;

const EXAMPLES = `
Examples:
  ctl logs web                       everything there is
  ctl logs -f --tail 20 web          the last 20 lines, and then what comes
  ctl logs --since 10m -t web        of the last ten minutes, with the time of each line
  ctl logs --since 2024-05-01T10:00:00Z --until 2024-05-01T11:00:00Z web
  ctl logs -f web db shop/worker     several at once, each line with its container's name
  ctl logs --stderr --grep timeout web

Times are durations (10m, 1h30m), RFC 3339 or Unix seconds. What a container wrote to its standard error goes to
standard error. A follow ends with the container; when the connection breaks it goes on without a line lost or repeated.
On a terminal control characters are shown, and obeyed only where they are colours; a pipe gets every byte.`;

export function logsCommand(invocation: Invocation): Entry {
  const command = new Command("logs")
    .description("Print the logs of containers.")
    .argument("<container...>", "their ids, names or project/service")
    .option("-f, --follow", "go on with what comes")
    .option("-n, --tail <lines>", "only so many lines from the end, or all", tailOf)
    .option("--since <time>", "only what was written at or after it", timeOf)
    .option("--until <time>", "only what was written before it", timeOf)
    .option("-t, --timestamps", "the time in front of each line")
    .option("--stdout", "only standard output")
    .option("--stderr", "only standard error")
    .option("--grep <text>", "only lines that contain this text")
    .option("--raw", "control characters to a terminal as they are, instead of shown")
    .addHelpText("after", EXAMPLES);
  return { command, work: (containers: string[], options: Options) => logs(invocation, containers, options) };
}

async function logs(invocation: Invocation, containers: string[], options: Options): Promise<number> {
  const { messages } = invocation;
  const status = new LinkStatus(messages);
  const client = (await invocation.connection()).client(status);
  const stop = new AbortController();
  const source = { client, body: bodyOf(options), messages, signal: stop.signal };
  const sinks = sinksFor(invocation, { count: containers.length, raw: options.raw ?? false });
  const readers = await Promise.all(
    sinks.map((sink, i) => LogReader.open({ ...source, place: placeOf(containers[i] ?? "") }, sink)),
  );
  sinks.forEach((sink, i) => sink.name(readers[i]?.name ?? ""));
  // Only now: a signal before there is anything to end does what it always does.
  const interrupted = new Promise<number>((resolve) => {
    invocation.onSignals(["SIGINT", "SIGTERM", "SIGHUP"], (signal) => resolve(exitOfSignal(signal)));
  });
  const reading = { invocation, alone: readers.length === 1, stop: stop.signal };
  const exits = Promise.all(readers.map((reader) => readOne(reader, reading)));
  const exit = await Promise.race([exits.then((codes) => codes.find((code) => code !== 0) ?? 0), interrupted]);
  stop.abort();
  for (const sink of sinks) await sink.end();
  status.close();
  await client.close();
  return exit;
}

/** One container that fails does not silence the others. */
async function readOne(
  reader: LogReader,
  { invocation, alone, stop }: { invocation: Invocation; alone: boolean; stop: AbortSignal },
): Promise<number> {
  try {
    return await reader.read();
  } catch (error) {
    const { exit, words } = verdictOf(error);
    if (alone || stop.aborted || words === undefined) throw error;
    invocation.messages.say(`${reader.name}: ${words}`);
    return exit;
  }
}

function bodyOf({ follow = false, timestamps = false, stdout, stderr, tail, since, until, grep }: Options): LogsBody {
  return {
    follow,
    timestamps,
    stdout: stdout || !stderr,
    stderr: stderr || !stdout,
    ...(typeof tail === "number" && { tail }),
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(grep && { grep }),
  };
}

function tailOf(text: string): number | "all" {
  if (text === "all") return text;
  const lines = Number(text);
  if (/^\d+$/.test(text) && lines <= MAX_TAIL) return lines;
  throw new InvalidArgumentError(`Write a number up to ${MAX_TAIL}, or all.`);
}
