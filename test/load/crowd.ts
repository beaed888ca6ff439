/** Many agents without engines, in a few processes. */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Order, sum, type Tally } from "./tally.ts";

/** Agents in one process. */
const EACH = 500;
const PROGRAM = fileURLToPath(new URL("agents.ts", import.meta.url));

export class Crowd implements Disposable {
  readonly #processes: ChildProcess[] = [];

  /** They register with these tokens, report and connect, for as long as this is held. */
  join(url: string, tokens: readonly string[]): void {
    for (let at = 0; at < tokens.length; at += EACH) {
      const child = fork(PROGRAM, { serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
      child.send({ do: "join", url, tokens: tokens.slice(at, at + EACH) } satisfies Order);
      this.#processes.push(child);
    }
  }

  /** Counts from now on. */
  begin(): void {
    for (const child of this.#processes) child.send({ do: "begin" } satisfies Order);
  }

  /** What has happened since the beginning. */
  async tally(): Promise<Tally> {
    const answers = this.#processes.map(async (child) => {
      const answer = once(child, "message");
      child.send({ do: "tell" } satisfies Order);
      return ((await answer) as [Tally])[0];
    });
    return sum(await Promise.all(answers));
  }

  [Symbol.dispose](): void {
    for (const child of this.#processes) child.kill("SIGKILL");
  }
}
