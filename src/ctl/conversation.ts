/** A process and a person or a pipe, talking: what `exec`, `attach` and `shell` have in common. */

import type { Client } from "../client/client.ts";
import type { RemoteSession } from "../client/session.ts";
import { pump } from "../lib/pump.ts";
import type { ExitStatus, Packet, SignalName } from "../protocol/packet.ts";
import { EXIT_FAILURE, exitOfSignal, Failure } from "./failure.ts";
import type { Invocation } from "./invocation.ts";
import { Keyboard } from "./keyboard.ts";
import type { LinkStatus } from "./link-status.ts";

export interface Talk {
  session: RemoteSession;
  /** Whose only session it is. */
  client: Pick<Client, "close">;
  status: LinkStatus;
  /** Standard input goes over there. */
  stdin: boolean;
  /** Over there is a terminal. */
  tty: boolean;
  /** These signals go over there instead of ending us; at `patience` of one kind this side leaves. */
  proxied: readonly NodeJS.Signals[];
  patience: number;
  /** Typing them ends the conversation and leaves the process alone. */
  detachKeys?: Uint8Array;
}

/** Why this side left before the other one did. */
interface Leave {
  exit: number;
  words?: string;
}

export class Conversation {
  readonly #talk: Talk;
  readonly #invocation: Invocation;
  readonly #counts = new Map<NodeJS.Signals, number>();
  #leave: Leave | undefined;

  constructor(talk: Talk, invocation: Invocation) {
    this.#talk = talk;
    this.#invocation = invocation;
  }

  /** Resolves with the exit code once all output is written. Rejects when the session broke. */
  async run(): Promise<number> {
    const { session, client, status } = this.#talk;
    const { terminal, messages } = this.#invocation;
    const release = this.#takeOver();
    let finished = false;
    try {
      this.#readInput();
      const exit = await this.#writeOutput();
      finished = exit !== undefined;
      return exit ?? this.#left();
    } finally {
      release();
      status.close();
      terminal.restore(finished ? "normally" : "abnormally");
      messages.cooked(finished);
      if (this.#leave?.words) messages.say(this.#leave.words);
      await session.close();
      // Its goodbye leaves with the connection's, at once: nothing later happens in this program.
      await client.close();
    }
  }

  /** Takes the terminal and the signals; the returned function gives the signals back. */
  #takeOver(): () => void {
    const { stdin, tty, proxied } = this.#talk;
    const { terminal, messages } = this.#invocation;
    const signals = new Set<NodeJS.Signals>([...proxied, "SIGINT", "SIGTERM", "SIGHUP"]);
    const undo = [this.#invocation.onSignals([...signals], (signal) => this.#signalled(signal))];
    if (tty) undo.push(terminal.onResize((size) => this.#send({ type: "resize", ...size })));
    if (tty && stdin && terminal.hasKeyboard) {
      terminal.enterRaw();
      messages.raw = true;
    }
    return () => {
      for (const each of undo) each();
    };
  }

  /** The exit code, or nothing when this side left. */
  async #writeOutput(): Promise<number | undefined> {
    const { session, tty } = this.#talk;
    const { stdout, stderr, messages, terminal } = this.#invocation;
    for await (const packet of session.packets()) {
      if (packet.type === "stdout") {
        if (tty) terminal.watch(packet.bytes);
        await stdout.write(packet.bytes, () => session.recycle(packet.bytes));
      } else if (packet.type === "stderr") await stderr.write(packet.bytes);
      else if (packet.type === "gap") messages.say(`Some output is missing here: ${packet.gap.why}.`);
      else if (packet.type === "exit") return this.#exitCode(packet.status);
    }
    return undefined;
  }

  #exitCode(status: ExitStatus): number {
    if ("code" in status) return status.code;
    this.#invocation.messages.say(`The exit status is not known: ${status.unknown}.`);
    return EXIT_FAILURE;
  }

  #left(): number {
    if (this.#leave) return this.#leave.exit;
    throw new Failure("The session ended without saying how. Run the command again.");
  }

  /** Ends the reading of output, and with it the conversation. */
  #go(leave: Leave): void {
    this.#leave ??= leave;
    void this.#talk.session.close();
  }

  #readInput(): void {
    const { session, stdin } = this.#talk;
    if (!stdin) return;
    const { world, messages, terminal } = this.#invocation;
    const carried = terminal.hasKeyboard
      ? this.#readKeyboard()
      : pump(world.stdin, (bytes) => session.send({ type: "stdin", bytes }));
    carried
      .then(() => session.send({ type: "end" }))
      // A session that is over needs no input; what broke it is told where its output is read.
      .catch((error: unknown) => messages.explain(() => `standard input is not read any more (${String(error)})`));
  }

  async #readKeyboard(): Promise<void> {
    const { session, status, detachKeys } = this.#talk;
    const keyboard = new Keyboard({
      session,
      status,
      detachKeys,
      onDetach: () => this.#go({ exit: 0, words: "Detached; the container goes on." }),
      onEscape: () => this.#go({ exit: EXIT_FAILURE, words: "Left without a connection." }),
    });
    await pump(this.#invocation.world.stdin, (bytes) => keyboard.type(bytes));
    await keyboard.sent;
  }

  #signalled(signal: NodeJS.Signals): void {
    const { proxied, patience } = this.#talk;
    const count = (this.#counts.get(signal) ?? 0) + 1;
    this.#counts.set(signal, count);
    if (proxied.includes(signal) && count < patience)
      return this.#send({ type: "signal", name: signal.slice("SIG".length) as SignalName });
    this.#go({ exit: exitOfSignal(signal) });
  }

  /** Too late is no error: the process may just have ended. */
  #send(packet: Packet): void {
    this.#talk.session.send(packet).catch(() => {});
  }
}
