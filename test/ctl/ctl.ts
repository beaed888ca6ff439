/** Runs the real `ctl`: with pipes to its end, or in a terminal that a test types into and reads. */

import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { buffer, text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { type IPty, spawn as spawnTerminal } from "node-pty";

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

const clean = { NO_COLOR: undefined, FAIRLEAD_SERVER: undefined, FAIRLEAD_TOKEN: undefined };

/** The running program, with pipes. */
export function startCtl({ env }: Home, ...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...clean, ...env }, stdio: "pipe" });
}

export async function runCtl(home: Home, args: string[], input: Uint8Array | string = ""): Promise<Ended> {
  const child = startCtl(home, ...args);
  // A program that does not read its input has ended early, and says so in its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  return collect(child);
}

export async function collect(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const closed = once(child, "close");
  const [stdout, stderr] = await Promise.all([buffer(child.stdout), text(child.stderr)]);
  await closed;
  return { code: child.exitCode ?? (child.signalCode ? -1 : null), stdout, stderr };
}

/** A shell command that runs this `ctl`, for what only a shell can do. */
export function shellWords(...args: string[]): string {
  return [process.execPath, MAIN, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

export async function runShell({ env }: Home, script: string): Promise<Ended> {
  const child = spawn("/bin/bash", ["-c", script], { env: { ...process.env, ...clean, ...env }, stdio: "pipe" });
  child.stdin.end();
  return collect(child);
}

/** Resolves with the match once what the stream has said matches; rejects when it ends or takes too long. */
export async function heard(child: ChildProcessWithoutNullStreams, from: "stdout" | "stderr", pattern: RegExp): Promise<RegExpExecArray> {
  let said = "";
  for await (const chunk of child[from].iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    const match = pattern.exec(said);
    if (match) return match;
  }
  throw new Error(`${pattern} was never said; only: ${said}`);
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
      if (deadline.aborted) throw new Error(`the terminal never showed ${pattern}; only: ${JSON.stringify(this.#screen)}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        deadline.addEventListener("abort", () => resolve(), { once: true });
      });
    }
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
