/**
 * The program's log: to standard error (a line for people on a terminal, JSON elsewhere) and to files of bounded total size.
 * Neither can stop the program: what cannot be written is counted and told where it is missing.
 */

import { type Logger, pino, stdTimeFunctions } from "pino";
import { LineQueue } from "./line-queue.ts";
import { LogFiles } from "./log-files.ts";
import { logText } from "./log-text.ts";
import { openStderr, type Stderr } from "./stderr.ts";

export type Log = Logger;

export interface LogOptions {
  /** First part of the files' names. */
  name: string;
  debug: boolean;
  directory: string;
  /** Bytes that all files together may take; 0: no files. */
  maxSize: number;
  /** Milliseconds between attempts to write files again. */
  retryMs?: number;
  stderr?: Stderr;
}

export interface OpenLog {
  log: Log;
  /** Resolves when everything logged so far is written or lost. */
  flush: () => Promise<void>;
  /** The same, and lets go of the files; later lines open them again. */
  close: () => Promise<void>;
  /** While a write is stuck the process cannot exit by itself. */
  holdsExit: boolean;
}

export function openLog(options: LogOptions): OpenLog {
  const stderr = options.stderr ?? openStderr();
  const show = stderr.terminal ? logText : (line: string) => line;
  const queues = [new LineQueue({ write: (text) => stderr.write(text), gap: (lost) => show(gapLine(lost)) })];
  const write = (line: string) => {
    for (const [index, queue] of queues.entries()) queue.push(index === 0 ? show(line) : line);
  };
  const log = pino(
    {
      level: options.debug ? "debug" : "info",
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );
  const files = options.maxSize > 0 ? openFiles(options, log) : undefined;
  if (files)
    queues.push(
      new LineQueue({ write: (text, lines) => files.write(text, lines), gap: gapLine, maxBatch: files.room }),
    );
  const flush = async () => {
    await Promise.all(queues.map((queue) => queue.flush()));
  };
  const close = async () => {
    await flush();
    await files?.close();
  };
  return { log, flush, close, holdsExit: stderr.holdsExit };
}

function openFiles({ directory, name, maxSize, retryMs }: LogOptions, log: Log): LogFiles {
  return new LogFiles({
    directory,
    name,
    maxSize,
    ...(retryMs !== undefined && { retryMs }),
    onChange: (state) => {
      if ("broken" in state)
        log.warn(
          { directory, reason: state.broken },
          "log files cannot be written; they go on when the directory can be written again",
        );
      else log.warn({ directory, lost: state.lost }, "log files are written again");
    },
  });
}

function gapLine(lost: number): string {
  const record = { level: "warn", time: new Date().toISOString(), lost, msg: "log lines are missing here" };
  return `${JSON.stringify(record)}\n`;
}
