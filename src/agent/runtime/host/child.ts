/** A program of this machine that the agent started, in the care of a keeper. */

import { type ChildProcess, spawn } from "node:child_process";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { type ExitStatus, type Output, RuntimeError, type Size, type StreamName } from "../runtime.ts";
import type { Order, Start, Word } from "./keeper-message.ts";
import { OutputQueue } from "./output-queue.ts";

/** What the end-of-file key of a terminal sends. */
const END_OF_FILE = Uint8Array.of(0x04);
/** Bytes of a keeper's complaints that are kept. */
const MAX_COMPLAINT = 2_000;
/** With this module's own ending: .ts in the sources, .js once it is built. */
const KEEPER = new URL(`keeper${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);

/** Resolves once the program runs; rejects with `unsupported` when it cannot. */
export async function startChild(start: Start, stdin: boolean): Promise<Child> {
  // In a session of its own: a Ctrl-C meant for the agent leaves it to the agent to end what it keeps. The keeper's
  // environment is empty, as what the agent knows is no business of anybody's who works on the host.
  const keeper = spawn(execPath, [fileURLToPath(KEEPER)], {
    env: {},
    detached: true,
    stdio: [stdin || start.terminal ? "pipe" : "ignore", "pipe", "pipe", "ipc"],
  });
  const child = new Child(keeper, { terminal: start.terminal !== undefined });
  keeper.send({ start } satisfies Order, () => {});
  await child.started;
  return child;
}

export class Child {
  /** Rejects when it could not be. */
  readonly started: Promise<void>;
  /** Until it ended. Not asking for more stops the program. Read once. */
  readonly output: AsyncIterable<Output>;
  /** Never rejects. */
  readonly exit: Promise<ExitStatus>;
  readonly #keeper: ChildProcess;
  readonly #terminal: boolean;
  #pid = 0;
  #complaint = "";

  constructor(keeper: ChildProcess, { terminal }: { terminal: boolean }) {
    this.#keeper = keeper;
    this.#terminal = terminal;
    const { stdin, stdout, stderr } = keeper;
    const streams = [stdout, stderr].filter((stream) => stream !== null);
    const queue = new OutputQueue({
      pause: () => streams.forEach((stream) => stream.pause()),
      resume: () => streams.forEach((stream) => stream.resume()),
      destroy: () => streams.forEach((stream) => stream.destroy()),
    });
    const take = (name: StreamName) => (bytes: Buffer) => queue.add(name, bytes);
    stdout?.on("data", take("stdout"));
    // In a terminal there is one stream; what the keeper itself says on the other is about the keeper.
    stderr?.on("data", terminal ? (bytes: Buffer) => this.#complain(bytes) : take("stderr"));
    for (const stream of [stdin, ...streams]) stream?.on("error", () => {});
    this.output = queue.read();
    this.started = new Promise((resolve, reject) => {
      const refuse = (why: string) =>
        reject(new RuntimeError("unsupported", `The host could not start it: ${why.trim()}.`));
      keeper.on("message", (word: Word) => {
        if ("started" in word) resolve(void (this.#pid = word.started));
        else if ("refused" in word) refuse(word.refused);
      });
      keeper.once("error", (error) => refuse(error.message));
      keeper.once("exit", (code, signal) => refuse(this.#complaint || `its keeper ended (${code ?? signal})`));
    });
    this.exit = new Promise((resolve) => {
      keeper.on("message", (word: Word) => "ended" in word && resolve({ code: word.ended }));
      keeper.once("exit", (code, signal) => resolve({ unknown: `its keeper ended before it (${code ?? signal})` }));
    });
    keeper.once("exit", () => queue.programEnded());
    keeper.once("close", () => queue.end());
  }

  /** Of the program. */
  get pid(): number {
    return this.#pid;
  }

  /** Resolves once the program's side has taken it. Rejects when nobody reads there any more. */
  write(bytes: Uint8Array): Promise<void> {
    const { stdin } = this.#keeper;
    return new Promise((resolve, reject) => {
      if (!stdin) return reject(new Error("the program has no input"));
      stdin.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** The end of its input: half-closing would leave a terminal without a word. */
  end(): void {
    if (this.#terminal) this.#keeper.stdin?.write(END_OF_FILE);
    else this.#keeper.stdin?.end();
  }

  resize(size: Size): void {
    if (this.#keeper.connected) this.#keeper.send({ resize: size } satisfies Order, () => {});
  }

  /** Lets go: the keeper ends what still runs, and itself. Idempotent. */
  release(): void {
    if (this.#keeper.connected) this.#keeper.disconnect();
    for (const stream of [this.#keeper.stdin, this.#keeper.stdout, this.#keeper.stderr]) stream?.destroy();
  }

  #complain(bytes: Buffer): void {
    this.#complaint = (this.#complaint + bytes.toString()).slice(-MAX_COMPLAINT);
  }
}
