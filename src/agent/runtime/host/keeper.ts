/**
 * The program that keeps one other program for the agent: a process of its own, so that terminals are inherited by no
 * other child of the agent, and that everything is ended when the agent is gone, however it went.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { constants } from "node:os";
import process from "node:process";
import { pump } from "../../../lib/pump.ts";
import { Pty } from "../pty.ts";
import type { Order, Start, Word } from "./keeper-message.ts";
import { endTree } from "./process-end.ts";
import { ProcessTree } from "./processes.ts";

/** What a shell says of a program that a signal ended. */
const SIGNALLED = 128;

/** The program, in a terminal or not. */
interface Kept {
  pid: number;
  resize(size: { cols: number; rows: number }): void;
  /** Its exit code, after all it printed has left this process. */
  ended: Promise<number>;
}

let kept: Kept | undefined;

process.on("message", (order: Order) => {
  if ("start" in order) void keep(order.start);
  else kept?.resize(order.resize);
});
process.on("disconnect", () => void abandon());

async function keep(start: Start): Promise<void> {
  try {
    kept = await (start.terminal ? inTerminal(start, start.terminal) : withStreams(start));
    say({ started: kept.pid });
    const code = await kept.ended;
    say({ ended: code }, () => process.exit());
  } catch (error) {
    say({ refused: error instanceof Error ? error.message : String(error) }, () => process.exit(1));
  }
}

function inTerminal(start: Start, { term, size }: NonNullable<Start["terminal"]>): Kept {
  const pty = new Pty({ ...start, term, size });
  // Not Node's own, which stop the whole process while nobody reads or writes at the other end.
  const input = new Socket({ fd: 0, writable: false });
  const output = new Socket({ fd: 1, readable: false });
  for (const stream of [input, output]) stream.on("error", () => {});
  pump(input, (bytes) => pty.write(bytes)).catch(() => {});
  const carry = async () => {
    for await (const { bytes } of pty.output) await new Promise<unknown>((done) => output.write(bytes, done));
    return pty.exit;
  };
  return { pid: pty.pid, resize: (to) => pty.resize(to), ended: carry() };
}

async function withStreams({ argv: [file, ...args], env, cwd }: Start): Promise<Kept> {
  const child = spawn(file, args, { env, cwd, detached: true, stdio: "inherit" });
  await once(child, "spawn");
  return { pid: child.pid ?? 0, resize: () => {}, ended: codeOf(child) };
}

async function codeOf(child: ChildProcess): Promise<number> {
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return code ?? SIGNALLED + (signal ? constants.signals[signal] : 0);
}

function say(word: Word, then: () => void = () => {}): void {
  if (process.connected) process.send?.(word, undefined, undefined, then);
}

/** The agent has let go, or is dead. */
async function abandon(): Promise<void> {
  if (kept) await endTree(ProcessTree.ofChild(kept.pid));
  process.exit();
}
