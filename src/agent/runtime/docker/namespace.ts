/** Connections made inside a container's network namespace, by a helper process that hands over connected sockets. */

import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { RuntimeError } from "../runtime.ts";
import type { DialAnswer, DialRequest } from "./dial-message.ts";
import type { Inside, InsideOptions } from "./inside.ts";

/** Milliseconds without a dial after which the helper ends; a new one takes about 60 to start. */
const IDLE = 30_000;
/** Bytes of the helper's complaints that are kept. */
const MAX_COMPLAINT = 2000;

interface Waiting {
  resolve(socket: Socket): void;
  reject(error: Error): void;
}

/** One container's helper; ended by silence, by `close` or with its container's network, and then of no more use. */
export class Namespace implements Inside {
  /** A process of the container. */
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #idle: NodeJS.Timeout | undefined;
  #complaint = "";
  #ended = false;

  /** The helper's environment is empty: what the agent knows is no business of a process in a container's network. */
  constructor(pid: number, helper: URL) {
    this.pid = pid;
    const inside = ["--target", String(pid), "--net", "--", execPath, fileURLToPath(helper)];
    this.#child = spawn("nsenter", inside, { env: {}, stdio: ["ignore", "ignore", "pipe", "ipc"] });
    this.#child.on("message", (answer, socket) => this.#answered(answer as DialAnswer, socket));
    this.#child.on("error", (error) => this.#end(error.message));
    this.#child.on("close", (code, signal) => this.#end(`it ended with ${code ?? signal}`));
    this.#child.stderr?.on("data", (text: Buffer) => {
      this.#complaint = (this.#complaint + text.toString()).slice(-MAX_COMPLAINT);
    });
    this.#rest();
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Rejects with RuntimeError `dial-failed` when there is no helper. */
  dial(port: number, { timeout }: InsideOptions): Promise<Socket> {
    if (this.#ended) return Promise.reject(gone(this.#complaint));
    clearTimeout(this.#idle);
    const id = this.#next++;
    const request: DialRequest = { id, port, timeout };
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send(request, (error) => error && this.#end(error.message));
    });
  }

  /** Sockets that were handed over stay. */
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
    this.#end("it was closed");
  }

  #answered({ id, code }: DialAnswer, socket: unknown): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    this.#rest();
    if (socket instanceof Socket) {
      socket.allowHalfOpen = true;
      waiting?.resolve(socket);
    } else {
      waiting?.reject(Object.assign(new Error(code ?? "no socket came"), { code }));
    }
  }

  #rest(): void {
    if (this.#waiting.size > 0 || this.#ended) return;
    this.#idle = setTimeout(() => this.close(), IDLE);
    this.#idle.unref();
  }

  #end(why: string): void {
    this.#ended = true;
    clearTimeout(this.#idle);
    for (const waiting of this.#waiting.values()) waiting.reject(gone(this.#complaint.trim() || why));
    this.#waiting.clear();
  }
}

function gone(why: string): RuntimeError {
  return new RuntimeError("dial-failed", `The helper in the container's network is gone: ${why}.`);
}
