/**
 * What Node itself can do: in the agent's and in ctl's place two programs that only pass bytes on. They frame, check, keep
 * and resume nothing; a figure that they miss is out of reach of any program in Node that is built of two such halves.
 */

import { join } from "node:path";
import { freePort } from "../../support/free-port.ts";
import { type Cli, type Command, Running } from "../command.ts";
import { TUNING } from "../tuning.ts";

export class Bare implements Cli, AsyncDisposable {
  readonly #address: string;
  readonly #port: number;
  readonly #far: Running;

  private constructor(address: string, port: number, far: Running) {
    this.#address = address;
    this.#port = port;
    this.#far = far;
  }

  /** Beside the engine with this socket; forwards lead to the container with this address. */
  static async start(socketPath: string, address: string): Promise<Bare> {
    const port = await freePort();
    return new Bare(address, port, await started("far-exec.ts", String(port), socketPath));
  }

  /** Knows `exec [-i]` alone. */
  command(...args: string[]): Command {
    return program("near-exec.ts", String(this.#port), ...args);
  }

  async forward(ports: ReadonlyMap<number, number>): Promise<AsyncDisposable> {
    await using stack = new AsyncDisposableStack();
    for (const [local, remote] of ports) {
      const between = await freePort();
      stack.use(await started("passage.ts", String(between), this.#address, String(remote)));
      stack.use(await started("passage.ts", String(local), "127.0.0.1", String(between)));
    }
    return stack.move();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#far[Symbol.asyncDispose]();
  }
}

async function started(name: string, ...args: string[]): Promise<Running> {
  const running = new Running(program(name, ...args));
  await running.ready(/ready/);
  return running;
}

function program(name: string, ...args: string[]): Command {
  return { file: process.execPath, args: [...TUNING, join(import.meta.dirname, name), ...args] };
}
