/** A program's claim to its state directory, which one at a time can have, and the file by which `ctl` finds this machine's agent. */

import { hostname } from "node:os";
import { join } from "node:path";
import { wait } from "../lib/wait.ts";
import { FileLock } from "./file-lock.ts";
import { StartError } from "./run.ts";
import type { StateDirectory } from "./state.ts";

interface Announcement {
  pid: number;
  /** Where that pid counts: a container has a name of its own. */
  host: string;
  url: string;
  /** The same door without TCP. */
  socket?: string;
  /** With TLS: by which local clients know the key again, whatever names the certificate has. */
  pin?: string;
}

interface Where {
  url: string;
  socket?: string | undefined;
  pin?: string | undefined;
}

type Program = "agent" | "server";

/** Hears once why the state directory cannot be written, and nothing (`undefined`) once it can again. */
type OnTrouble = (reason: string | undefined) => void;

/** Milliseconds between attempts while the state directory cannot be written. */
const RETRY_MS = 5_000;

interface PresenceParts {
  lock: FileLock;
  /** In the state directory. */
  file: string;
  pid: number;
}

export class Presence {
  readonly #state: StateDirectory;
  readonly #parts: PresenceParts;
  readonly #life = new AbortController();
  #own: Announcement | undefined;
  #trying: Promise<void> | undefined;

  private constructor(state: StateDirectory, parts: PresenceParts) {
    this.#state = state;
    this.#parts = parts;
  }

  /**
   * To come before anything else is done with the state: two would write over each other's, and end each other's sessions.
   * Throws StartError when another process has it; the next one may as soon as that is gone.
   */
  static async claim(state: StateDirectory, { program, pid }: { program: Program; pid: number }): Promise<Presence> {
    const [file, lockFile] = [`${program}.json`, `${program}.lock`];
    await state.create(lockFile, "");
    const lock = FileLock.take(join(state.path, lockFile));
    if (!lock)
      throw new StartError(
        `${program === "agent" ? "An agent" : "A server"} already runs with the state in ${state.path}${nameOf(await state.read(file))}; end it, or give this one another data_dir.`,
      );
    const presence = new Presence(state, { lock, file, pid });
    await presence.#withdraw();
    return presence;
  }

  /** Where that cannot be written it is tried on, if somebody hears of it; else it rejects. */
  async announce({ url, socket, pin }: Where, onTrouble?: OnTrouble): Promise<void> {
    const own = { pid: this.#parts.pid, host: hostname(), url };
    this.#own = { ...own, ...(socket && { socket }), ...(pin && { pin }) };
    try {
      await this.#write();
    } catch (error) {
      if (!onTrouble) throw error;
      this.#trying ??= this.#tryOn(error, onTrouble);
    }
  }

  async release(): Promise<void> {
    this.#life.abort();
    await this.#trying;
    await this.#withdraw();
    this.#parts.lock.release();
  }

  async #tryOn(error: unknown, onTrouble: OnTrouble): Promise<void> {
    const { signal } = this.#life;
    onTrouble(error instanceof Error ? error.message : String(error));
    for (;;) {
      await wait(RETRY_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#write();
        this.#trying = undefined;
        return onTrouble(undefined);
      } catch {
        // As it was told.
      }
    }
  }

  async #write(): Promise<void> {
    await this.#state.replace(this.#parts.file, JSON.stringify(this.#own));
  }

  /** Where nothing can be written what stands there stays, and leads nowhere. */
  async #withdraw(): Promise<void> {
    await this.#state.remove(this.#parts.file).catch(() => undefined);
  }
}

/** Of the one that announced itself there, in parentheses; empty where nobody has. */
function nameOf(text: string | undefined): string {
  try {
    const { pid, host, url } = JSON.parse(text ?? "") as Partial<Announcement>;
    return ` (pid ${pid} on ${host}${url ? `, ${url}` : ""})`;
  } catch {
    // Torn, or not there yet.
    return "";
  }
}
