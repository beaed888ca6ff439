/** A process of the host itself that somebody talks to. */

import { RuntimeError, type ExitStatus, type Output, type Process, type Size } from "../runtime.ts";
import { toSignal } from "../signal-names.ts";
import type { Child } from "./child.ts";
import { endTree } from "./process-end.ts";
import { ProcessTree } from "./processes.ts";

export class HostProcess implements Process {
  readonly output: AsyncIterable<Output>;
  readonly exit: Promise<ExitStatus>;
  readonly #child: Child;
  readonly #tree: ProcessTree;
  #running = true;
  #closed: Promise<void> | undefined;
  #settle: (status: ExitStatus) => void = () => {};

  constructor(child: Child) {
    this.#child = child;
    this.#tree = ProcessTree.ofChild(child.pid);
    this.exit = new Promise((resolve) => {
      this.#settle = resolve;
    });
    void child.exit.then(() => {
      this.#running = false;
    });
    this.output = this.#read();
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#child.write(bytes);
    } catch (cause) {
      throw new RuntimeError("not-running", "The process reads no more.", { cause });
    }
  }

  async end(): Promise<void> {
    this.#child.end();
  }

  async resize(size: Size): Promise<void> {
    this.#child.resize(size);
  }

  async signal(name: string): Promise<void> {
    await this.#tree.signal(toSignal(name));
  }

  /** A shell that ended by itself may leave something that goes on, as at every other login; one that is ended may not. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const gone = !this.#running || (await endTree(this.#tree));
    this.#child.release();
    this.#settle(gone ? await this.#child.exit : { unknown: "it could not be ended" });
  }

  async *#read(): AsyncGenerator<Output, void, void> {
    yield* this.#child.output;
    this.#settle(await this.#child.exit);
  }
}
