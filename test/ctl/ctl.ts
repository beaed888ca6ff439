/** Runs the real `ctl`: with pipes to its end, or in a terminal that a test types into and reads. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { type IPty, spawn as spawnTerminal } from "node-pty";
import { NODE_FLAGS } from "../support/node.ts";

const MAIN = fileURLToPath(new URL("../../src/ctl/main.ts", import.meta.url));
/** Longest a test waits for something to appear, in milliseconds. */
const LIMIT_MS = 20_000;

/** Whoever says where the agent is. */
export interface Home {
  env: Record<string, string>;
}

export interface Ended {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

/** What the environment of whoever runs the tests must not change. */
const CLEAN = { NO_COLOR: undefined, FAIRLEAD_SERVER: undefined, FAIRLEAD_TOKEN: undefined };

/** A program with pipes, everything it says kept from the start. */
export class Run {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  readonly #out: Buffer[] = [];
  #err = "";
  /** Whether nothing more can be said: a program's last words may come after its exit. */
  #over = false;
  #wake: () => void = () => {};

  constructor(file: string, args: string[], env: NodeJS.ProcessEnv) {
    this.child = spawn(file, args, { env: { ...process.env, ...CLEAN, ...env }, stdio: "pipe" });
    // A program that does not read its input has ended early, and says so in its exit code.
    this.child.stdin.on("error", () => {});
    this.child.stdout.on("data", (chunk: Buffer) => this.#take(() => this.#out.push(chunk)));
    this.child.stderr.on("data", (chunk: Buffer) => this.#take(() => (this.#err += chunk.toString())));
    this.ended = once(this.child, "close").then(() => this.#end());
  }

  /** Resolves with the match once what it has said so far matches; rejects when it has ended or takes too long. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const late = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      const said = Buffer.concat(this.#out).toString() + this.#err;
      const match = pattern.exec(said);
      if (match) return match;
      if (late.aborted || this.#over) throw new Error(`${pattern} was never said; only: ${said}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        late.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  #take(keep: () => void): void {
    keep();
    this.#wake();
  }

  #end(): Ended {
    this.#over = true;
    this.#wake();
    return { code: this.child.exitCode, stdout: Buffer.concat(this.#out), stderr: this.#err };
  }
}

export function startCtl({ env }: Home, ...args: string[]): Run {
  return new Run(process.execPath, [...NODE_FLAGS, MAIN, ...args], env);
}

/** To its end. */
export function runCtl(home: Home, args: string[], input: Uint8Array | string = ""): Promise<Ended> {
  const run = startCtl(home, ...args);
  run.child.stdin.end(input);
  return run.ended;
}

/** A shell script, for what only a shell can do. */
export function runShell({ env }: Home, script: string): Promise<Ended> {
  const run = new Run("/bin/bash", ["-c", script], env);
  run.child.stdin.end();
  return run.ended;
}

/** The words that run this `ctl` in such a script. */
export function shellWords(...args: string[]): string {
  return [process.execPath, ...NODE_FLAGS, MAIN, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** A terminal in which a shell script runs. */
export class TerminalRun implements Disposable {
  readonly #pty: IPty;
  #screen = "";
  #wake: () => void = () => {};
  readonly exited: Promise<number>;

  constructor({ env }: Home, script: string) {
    const options = { name: "xterm-256color", cols: 80, rows: 24, env: { ...process.env, ...env } };
    this.#pty = spawnTerminal("/bin/bash", ["-c", script], options);
    this.#pty.onData((data) => {
      this.#screen += data;
      this.#wake();
    });
    this.exited = new Promise((resolve) => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  /** Everything shown since the last {@link shows}. */
  get screen(): string {
    return this.#screen;
  }

  type(keys: string): void {
    this.#pty.write(keys);
  }

  resize(cols: number, rows: number): void {
    this.#pty.resize(cols, rows);
  }

  /** Resolves once the terminal shows this, and forgets everything up to there. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(LIMIT_MS);
    for (;;) {
      const match = pattern.exec(this.#screen);
      if (match) {
        this.#screen = this.#screen.slice(match.index + match[0].length);
        return match;
      }
      if (deadline.aborted)
        throw new Error(`the terminal never showed ${pattern}; only: ${JSON.stringify(this.#screen)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }

  /** Of the script's child whose command line has these words. */
  async childPid(words: string): Promise<number> {
    const children = await readFile(`/proc/${this.#pty.pid}/task/${this.#pty.pid}/children`, "utf8");
    for (const pid of children.trim().split(" ")) {
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (line.includes(words)) return Number(pid);
    }
    throw new Error(`no child of the script has ${words} in its command line`);
  }

  /** What closing the window does. */
  close(): void {
    (this.#pty as IPty & { destroy(): void }).destroy();
  }

  [Symbol.dispose](): void {
    try {
      this.#pty.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}

/** Runs `ctl` between two looks at the terminal's settings; prints `same` or `different`, and the exit code. */
export function guarded(...args: string[]): string {
  return `before=$(stty -g); ${shellWords(...args)}; code=$?; [ "$(stty -g)" = "$before" ] && echo "[terminal same, code $code]" || echo "[terminal different, code $code]"`;
}
