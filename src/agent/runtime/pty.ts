/** Programs in terminals of this machine: the only place that knows node-pty, and what has to be known about it. */

import { Socket } from "node:net";
import { type IPty, spawn } from "node-pty";
import { OutputQueue } from "./host/output-queue.ts";
import type { Output, Size } from "./runtime.ts";

export interface PtyStart {
  /** The program, which has to exist, and its arguments. */
  argv: readonly [string, ...string[]];
  env: Record<string, string>;
  cwd: string;
  /** For TERM. */
  term: string;
  size: Size;
}

/** What a shell says of a program that a signal ended. */
const SIGNALLED = 128;

/** A program and its terminal. node-pty's side of a terminal is inherited by whatever is started next: have one in a process. */
export class Pty {
  readonly pid: number;
  /** Until it ended and all was read. Not asking for more stops the program. Read once. */
  readonly output: AsyncIterable<Output>;
  /** Its code, or 128 and the number of the signal that ended it. */
  readonly exit: Promise<number>;
  readonly #terminal: IPty;
  readonly #socket: Socket;

  constructor({ argv, term, size, env, cwd }: PtyStart) {
    const [file, ...args] = argv;
    // Without an encoding the bytes stay as they are, whatever the types say.
    const terminal = spawn(file, args, { name: term, ...size, env, cwd, encoding: null });
    const socket = socketOf(terminal);
    this.pid = terminal.pid;
    this.#terminal = terminal;
    this.#socket = socket;
    const destroy = guard(socket, () => queue.programEnded());
    const queue = new OutputQueue({ pause: () => socket.pause(), resume: () => socket.resume(), destroy });
    socket.on("error", () => {}).once("close", () => queue.end());
    terminal.onData((data) => queue.add("stdout", data as unknown as Buffer));
    this.output = queue.read();
    this.exit = new Promise((resolve) => {
      terminal.onExit(({ exitCode, signal }) => resolve(signal ? SIGNALLED + signal : exitCode));
    });
  }

  /** Past node-pty's own `write`, which does not tell when the terminal has taken it. Rejects when it is closed. */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  resize({ cols, rows }: Size): void {
    if (!this.#socket.destroyed) this.#terminal.resize(cols, rows);
  }
}

/** The terminal's stream; the types leave it out, the version in package.json is exact. */
function socketOf(terminal: IPty): Socket {
  const { _socket: socket } = terminal as IPty & { _socket?: unknown };
  if (socket instanceof Socket) return socket;
  throw new Error("this version of node-pty keeps its stream elsewhere");
}

/**
 * node-pty destroys the stream 200 ms after the program ended, whether everything was read or not. So a destruction
 * without an error, before the end, is only taken as the word that the program has ended. Returns the real one.
 */
function guard(socket: Socket, programEnded: () => void): () => void {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error?: Error) => {
    if (error || socket.readableEnded) return destroy(error);
    programEnded();
    return socket;
  };
  return () => void destroy();
}
