/**
 * What Node's streams can do: in the agent's and in ctl's place two programs that only pass bytes on. They frame, check, keep
 * and resume nothing; a figure that they miss needs a better way to read and write than streams are.
 */

import { join } from "node:path";
import { certificate } from "../../support/certificate.ts";
import { freePort } from "../../support/free-port.ts";
import { type Cli, type Command, Running } from "../command.ts";
import { TUNING } from "../tuning.ts";

/** Of the program that runs commands, and of the one that takes copies. */
interface Ports {
  exec: number;
  cp: number;
}

export class Bare implements Cli, AsyncDisposable {
  readonly #address: string;
  readonly #stack: AsyncDisposableStack;
  readonly #ports: Ports;

  private constructor(address: string, ports: Ports, stack: AsyncDisposableStack) {
    this.#address = address;
    this.#ports = ports;
    this.#stack = stack;
  }

  /** Beside the engine with this socket; forwards lead to the container with this address. */
  static async start(socketPath: string, address: string): Promise<Bare> {
    await using stack = new AsyncDisposableStack();
    const far = async (name: string) => {
      const port = await freePort();
      stack.use(await started(program(name, String(port), socketPath)));
      return port;
    };
    const ports = { exec: await far("far-exec.ts"), cp: await far("far-copy.ts") };
    return new Bare(address, ports, stack.move());
  }

  /** Knows `exec [-i]` and `cp FILE CONTAINER:/NAME`. */
  command(...args: string[]): Command {
    const { exec, cp } = this.#ports;
    return args[0] === "cp"
      ? program("near-copy.ts", String(cp), ...args)
      : program("near-exec.ts", String(exec), ...args);
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
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
