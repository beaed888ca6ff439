/** A program's claim to its state directory, which one at a time can have, and the file by which `ctl` finds this machine's agent. */

import { hostname } from "node:os";
import { join } from "node:path";
import { FileLock } from "./file-lock.ts";
import { StartError } from "./run.ts";
import type { StateDirectory } from "./state.ts";

interface Announcement {
  pid: number;
  /** Where that pid counts: a container has a name of its own. */
  host: string;
  /** Empty until the door is open. */
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

interface PresenceParts {
  lock: FileLock;
  /** In the state directory. */
  file: string;
  own: Announcement;
}

export class Presence {
  readonly #state: StateDirectory;
  readonly #lock: FileLock;
  readonly #file: string;
  readonly #own: Announcement;

  private constructor(state: StateDirectory, { lock, file, own }: PresenceParts) {
    this.#state = state;
    this.#lock = lock;
    this.#file = file;
    this.#own = own;
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
    const presence = new Presence(state, { lock, file, own: { pid, host: hostname(), url: "" } });
    await presence.#write();
    return presence;
  }

  async announce({ url, socket, pin }: Where): Promise<void> {
    this.#own.url = url;
    if (socket) this.#own.socket = socket;
    if (pin) this.#own.pin = pin;
    await this.#write();
  }

  async release(): Promise<void> {
    await this.#state.remove(this.#file);
    this.#lock.release();
  }

  async #write(): Promise<void> {
    await this.#state.replace(this.#file, JSON.stringify(this.#own));
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
