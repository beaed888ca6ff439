/** One run of `ctl`: what every command is given. */

import type { Wanted } from "./connection/locate.ts";
import { Connection } from "./connection.ts";
import { Messages } from "./messages.ts";
import { Output } from "./output.ts";
import { Screen } from "./screen.ts";
import { Terminal } from "./terminal.ts";
import { introducer } from "./trust.ts";
import type { World } from "./world.ts";

/** The options that every command has. */
export interface Globals extends Wanted {
  verbose?: boolean;
  /** False after --no-color. */
  color?: boolean;
}

export class Invocation {
  readonly world: World;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly messages: Messages;
  readonly terminal: Terminal;
  readonly screen: Screen;
  #globals: Globals = {};

  constructor(world: World, started: number) {
    this.world = world;
    this.stdout = new Output(() => world.stdout);
    this.stderr = new Output(() => world.stderr);
    this.terminal = new Terminal(world);
    this.messages = new Messages({ output: this.stderr, started, dumb: this.terminal.isDumb });
    this.screen = new Screen(world);
  }

  /** Known once the command line is parsed. */
  set globals(globals: Globals) {
    this.#globals = globals;
    this.messages.verbose = globals.verbose ?? false;
  }

  /** Colours are for people who look at a terminal and did not ask to be spared (https://no-color.org). */
  get colours(): boolean {
    return this.coloursOn("stdout");
  }

  coloursOn(stream: "stdout" | "stderr"): boolean {
    const { NO_COLOR: spared } = this.world.env;
    return this.#globals.color !== false && !spared && !this.terminal.isDumb && this[stream].isTerminal;
  }

  /** Finds the server; talks to nobody yet. What is given here is stronger than the options. */
  connection(wanted: Wanted = {}): Promise<Connection> {
    const { world, messages, terminal } = this;
    const introduce = terminal.hasKeyboard && messages.onTerminal ? introducer({ world, messages }) : undefined;
    return Connection.find({ ...this.#globals, ...wanted }, { env: world.env, messages, introduce });
  }

  /** Calls back at each of these signals, in place of what they do by themselves, until the returned function is called. */
  onSignals(signals: readonly NodeJS.Signals[], listener: (signal: NodeJS.Signals) => void): () => void {
    for (const signal of signals) this.world.on(signal, listener);
    return () => {
      for (const signal of signals) this.world.off(signal, listener);
    };
  }
}
