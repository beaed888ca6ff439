/** What a contract test stands on: a real engine, the runtime under test on it, and containers that go away with it. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Output, Process, Runtime } from "../../src/agent/runtime/runtime.ts";

import type { DockerClient, RunOptions } from "../support/docker-client.ts";
import { until } from "../support/until.ts";

/** Docker's, unless said otherwise. */
const HABITS = {
  /** The name of an image that was given without registry and tag. */
  image: "busybox",
  /** The network of a container that asked for none. */
  network: "bridge",
  /** Stamps of log lines tell one from the other. */
  fineStamps: true,
  /** Bytes of a long line's first part. */
  part: 16_384,
};
type Habits = typeof HABITS;

/** Why an engine cannot keep a part of the contract, by the test's name. */
export type Exceptions = Readonly<Record<string, string>>;

export interface RigOptions {
  /** The column of the table. */
  name: string;
  engine: DockerClient;
  createRuntime: (stateDir: string) => Runtime;
  /** What differs between the engines, and is theirs. */
  habits?: Partial<Habits>;
  /** The command line that a Node program follows to run in this container's network; without one the host's `nsenter`. */
  inside?: (id: string) => readonly [string, ...string[]];
  /** Mebibytes that the kernel may hold on the way to a reader that has stopped: next to nothing for a socket file. */
  kernel?: number;
  exceptions?: Exceptions;
}

/** One implementation on one engine. */
export class Rig {
  readonly name: string;
  readonly engine: DockerClient;
  readonly createRuntime: (stateDir: string) => Runtime;
  readonly kernel: number;
  readonly habits: Habits;
  /** For calls that nothing cuts short. */
  readonly signal: AbortSignal = new AbortController().signal;
  readonly results: { verb: string; passed: boolean }[] = [];
  readonly #inside: RigOptions["inside"];
  readonly #exceptions: Exceptions;
  readonly #directories: string[] = [];
  readonly #containers: string[] = [];
  readonly #runtimes: Runtime[] = [];
  #runtime: Runtime | undefined;

  constructor(options: RigOptions) {
    this.name = options.name;
    this.engine = options.engine;
    this.createRuntime = options.createRuntime;
    this.kernel = options.kernel ?? 0;
    this.habits = { ...HABITS, ...options.habits };
    this.#inside = options.inside;
    this.#exceptions = options.exceptions ?? {};
  }

  /** The runtime that the tests share. */
  get runtime(): Runtime {
    if (!this.#runtime) throw new Error("the rig is not open");
    return this.#runtime;
  }

  async open(): Promise<void> {
    this.#runtime = (await this.another()).runtime;
  }

  /** One more runtime, as another agent would have. */
  async another(): Promise<{ runtime: Runtime; stateDir: string }> {
    const stateDir = await mkdtemp(join(tmpdir(), "fl-contract-"));
    const runtime = this.createRuntime(stateDir);
    this.#directories.push(stateDir);
    this.#runtimes.push(runtime);
    return { runtime, stateDir };
  }

  /** Starts a container with a name of its own; gives its full id. */
  async container(options: RunOptions = {}): Promise<string> {
    const id = await this.engine.run(`contract-${crypto.randomUUID().slice(0, 8)}`, options);
    this.#containers.push(id);
    return id;
  }

  /** The command line that a Node program follows to run in this container's network. */
  async inside(id: string): Promise<readonly [string, ...string[]]> {
    if (this.#inside) return this.#inside(id);
    const pid = await this.engine.docker("inspect", "--format", "{{.State.Pid}}", id);
    return ["nsenter", "--target", pid, "--net", process.execPath];
  }

  async close(): Promise<void> {
    await Promise.all(this.#runtimes.map((runtime) => runtime.close()));
    const remove = (id: string) => this.engine.docker("rm", "--force", "--volumes", id).catch(() => "");
    await Promise.all(this.#containers.map(remove));
    await Promise.all(this.#directories.map((directory) => rm(directory, { recursive: true, force: true })));
  }

  /** A test whose outcome is counted for the table. */
  verb(verb: string, sentence: string, body: () => Promise<void>): void {
    const skip = this.#exceptions[`${verb} ${sentence}`] ?? false;
    test(`${verb} ${sentence}`, { skip }, async () => {
      const result = { verb, passed: false };
      this.results.push(result);
      await body();
      result.passed = true;
    });
  }
}

/** Prints the table verb x engine when the file's tests are over. */
export function printTable(rigs: Rig[]): void {
  after(() => {
    const verbs = [...new Set(rigs.flatMap((rig) => rig.results.map((result) => result.verb)))];
    const cell = (rig: Rig, verb: string) => {
      const own = rig.results.filter((result) => result.verb === verb);
      return `${own.filter((result) => result.passed).length}/${own.length}`;
    };
    const rows = [
      ["verb", ...rigs.map((rig) => rig.name)],
      ...verbs.map((v) => [v, ...rigs.map((rig) => cell(rig, v))]),
    ];
    const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
    const line = (row: string[]) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  ");
    console.log(rows.map(line).join("\n"));
  });
}

export interface Said {
  stdout: string;
  stderr: string;
}

/** Everything a process writes until it ends, as latin1 so that each byte is one character. */
export async function listen(process: Pick<Process, "output">): Promise<Said> {
  const said = { stdout: "", stderr: "" };
  for await (const { stream, bytes } of process.output) said[stream] += Buffer.from(bytes).toString("latin1");
  return said;
}

/** Reads a process in the background, so that a test can wait for words. */
export class Listener {
  text = "";
  readonly ended: Promise<void>;

  constructor(output: AsyncIterable<Output>) {
    this.ended = this.#read(output);
  }

  /** Resolves with the first match. */
  heard(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`hearing ${pattern}`, () => Promise.resolve(pattern.exec(this.text) ?? undefined));
  }

  async #read(output: AsyncIterable<Output>): Promise<void> {
    for await (const { bytes } of output) this.text += Buffer.from(bytes).toString("latin1");
  }
}

/** A stamp in the form that `since` has; a Date would lose its nanoseconds. */
export function sinceOf(time: string): string {
  const [seconds = "", fraction = ""] = time.replace("Z", "").split(".");
  return `${Date.parse(`${seconds}Z`) / 1000}.${fraction.padEnd(9, "0")}`;
}
