/** The peer of everything but forwards: the docker command, in the engine's own version. */

import type { Cli, Command } from "../command.ts";
import { run } from "../command.ts";
import { find, provide } from "../machine.ts";

export class Docker implements Cli {
  readonly #program: string;
  readonly #host: string;
  /** Of the command and of the engine, e.g. "20.10.24 -> 20.10.24". */
  readonly versions: string;

  private constructor(program: string, host: string, versions: string) {
    this.#program = program;
    this.#host = host;
    this.versions = versions;
  }

  /** Of the docker commands on this machine, the first whose version is the engine's, else the first. */
  static async of(host: string): Promise<Docker> {
    await provide("docker");
    const all: Docker[] = [];
    for (const program of await find("docker")) {
      const format = "{{.Client.Version}} -> {{.Server.Version}}";
      const versions = await run({ file: program, args: ["--host", host, "version", "--format", format] });
      all.push(new Docker(program, host, versions.trim()));
    }
    const fitting = all.find(
      ({ versions }) => release(versions.split(" -> ")[0]) === release(versions.split(" -> ")[1]),
    );
    const chosen = fitting ?? all[0];
    if (!chosen) throw new Error("there is no docker command to compare with");
    return chosen;
  }

  command(...args: string[]): Command {
    return { file: this.#program, args: ["--host", this.#host, ...args] };
  }
}

/** "20.10" of "20.10.24+dfsg1". */
function release(version = ""): string {
  return version.split(".").slice(0, 2).join(".");
}
