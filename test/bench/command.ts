/** Runs programs: to their end, timed through a pipe, or in the background until they say that they are ready. */

import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { on, once } from "node:events";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** Longest a program may take to say that it is ready, in milliseconds. */
const READY_LIMIT = 20_000;
/** Longest a background program may take to end once asked, in milliseconds. */
const END_LIMIT = 5_000;
/** Characters kept of what a background program said on its standard error. */
const ERRORS_KEPT = 4_096;

export interface Command {
  file: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** A command-line program that reaches containers: the same words for each of them. */
export interface Cli {
  command(...args: string[]): Command;
}

/** The command's standard output. Rejects with its standard error when it fails. */
export async function run(command: Command): Promise<string> {
  const child = spawn(command.file, command.args, { env: command.env, stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(child, "close");
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  if (child.exitCode !== 0) throw failure(command, child, err.trim() || out);
  return out;
}

/** Like {@link run}, with nothing of the bench in the way: a real pipe between the two, made by a shell. */
export async function runInto(command: Command, consumer: string): Promise<string> {
  const script = `{ "$0" "$@" || echo "exit status $?" >&2; } | ${consumer}`;
  const args = ["-c", script, command.file, ...command.args];
  const shell = spawn("/bin/sh", args, { env: command.env, stdio: ["ignore", "pipe", "pipe"] });
  const closed = once(shell, "close");
  const [out, err] = await Promise.all([text(shell.stdout), text(shell.stderr), closed]);
  if (shell.exitCode !== 0 || err.includes("exit status")) throw failure(command, shell, err);
  return out.trim();
}

/** Milliseconds it took. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** A program with pipes to its input and output, ended when the owner lets go of it or the bench itself ends. */
export class Running implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  readonly #command: Command;
  #errors = "";

  constructor(command: Command) {
    this.#command = command;
    this.child = spawn(command.file, command.args, { env: command.env, stdio: "pipe" });
    this.child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
      this.#errors = (this.#errors + chunk).slice(-ERRORS_KEPT);
    });
    this.child.on("error", (error) => {
      this.#errors += error.message;
    });
    // A program that ended is noticed by what it no longer answers.
    this.child.stdin.on("error", () => {});
    const last = () => this.child.kill("SIGKILL");
    process.once("exit", last);
    this.child.once("exit", () => process.off("exit", last));
  }

  get stdout(): Readable {
    return this.child.stdout;
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves once its output matches every pattern; what it writes afterwards is dropped. Rejects when it ends or takes too long. */
  async ready(...patterns: RegExp[]): Promise<void> {
    const waiting = AbortSignal.timeout(READY_LIMIT);
    let said = "";
    try {
      for await (const [chunk] of on(this.stdout, "data", { close: ["close"], signal: waiting })) {
        said += String(chunk);
        if (patterns.every((pattern) => pattern.test(said))) return;
      }
    } catch (error) {
      if (!waiting.aborted) throw error;
    } finally {
      this.stdout.resume();
    }
    throw failure(this.#command, this.child, this.#errors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || !this.child.pid) return;
    const exited = once(this.child, "exit");
    this.child.stdin.end();
    this.child.kill("SIGTERM");
    const timer = setTimeout(() => this.child.kill("SIGKILL"), END_LIMIT);
    await exited;
    clearTimeout(timer);
  }
}

function failure(command: Command, child: ChildProcess, errors: string): Error {
  const how = child.signalCode ?? (child.exitCode === null ? "not ready in time" : `exit status ${child.exitCode}`);
  const [words = "no message"] = /^.*error: .*$/im.exec(errors) ?? errors.trim().split("\n").slice(-1);
  return new Error(`${[command.file, ...command.args].join(" ")}: ${how}: ${words}`);
}
