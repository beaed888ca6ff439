/**
 * What Node itself can do: in the agent's and in ctl's place two programs that only pass bytes on. They frame, check, keep
 * and resume nothing; a figure that they miss is out of reach of any program in Node that is built of two such halves.
 */

import { join } from "node:path";
import { certificate } from "../../support/certificate.ts";
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
    return new Bare(address, port, await started(program("far-exec.ts", String(port), socketPath)));
  }

  /** Knows `exec [-i]` alone. */
  command(...args: string[]): Command {
    return program("near-exec.ts", String(this.#port), ...args);
  }

  /** With TLS between the two, if that is wanted. */
  async forward(ports: ReadonlyMap<number, number>, { secure = false } = {}): Promise<AsyncDisposable> {
    await using stack = new AsyncDisposableStack();
    const { cert, key } = await certificate();
    const [far, near] = secure ? ["far", "near"] : ["plain", "plain"];
    for (const [local, remote] of ports) {
      const between = await freePort();
      const env = { ...process.env, BARE_CERT: cert, BARE_KEY: key };
      const first = { ...program("passage.ts", String(between), this.#address, String(remote), far), env };
      stack.use(await started(first));
      stack.use(await started(program("passage.ts", String(local), "127.0.0.1", String(between), near)));
    }
    return stack.move();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#far[Symbol.asyncDispose]();
  }
}

async function started(command: Command): Promise<Running> {
  const running = new Running(command);
  await running.ready(/ready/);
  return running;
}

function program(name: string, ...args: string[]): Command {
  return { file: process.execPath, args: [...TUNING, join(import.meta.dirname, name), ...args] };
}
