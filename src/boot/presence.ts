/** The file by which a second process with the same state finds out that it is one too many, and by which `ctl` finds this machine's agent. */

import { readFileSync } from "node:fs";
import { StartError } from "./run.ts";
import type { StateDirectory } from "./state.ts";

interface Announcement {
  pid: number;
  /** When the process started, in the system's own ticks: a pid alone may be somebody else's by now. */
  ticks: string;
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

export class Presence {
  readonly #state: StateDirectory;
  /** In the state directory. */
  readonly #file: string;
  readonly #own: Announcement;

  private constructor(state: StateDirectory, { file, own }: { file: string; own: Announcement }) {
    this.#state = state;
    this.#file = file;
    this.#own = own;
  }

  /** Throws StartError when a living one has this state directory: two would write over each other's state. */
  static async claim(state: StateDirectory, { program, pid }: { program: Program; pid: number }): Promise<Presence> {
    const own = { pid, ticks: startTicks(pid), url: "" };
    const file = `${program}.json`;
    const presence = new Presence(state, { file, own });
    if (await state.create(file, JSON.stringify(own))) return presence;
    const other = parse(await state.read(file));
    if (other && other.pid !== pid && other.ticks !== "" && startTicks(other.pid) === other.ticks)
      throw new StartError(
        `${program === "agent" ? "An agent" : "A server"} already runs with the state in ${state.path} (pid ${other.pid}${other.url && `, ${other.url}`}); end it, or give this one another data_dir.`,
      );
    await state.replace(file, JSON.stringify(own));
    return presence;
  }

  async announce({ url, socket, pin }: Where): Promise<void> {
    this.#own.url = url;
    if (socket) this.#own.socket = socket;
    if (pin) this.#own.pin = pin;
    await this.#state.replace(this.#file, JSON.stringify(this.#own));
  }

  async release(): Promise<void> {
    await this.#state.remove(this.#file);
  }
}

function parse(text: string | undefined): Announcement | undefined {
  try {
    const { pid, ticks, url } = JSON.parse(text ?? "") as Partial<Announcement>;
    if (typeof pid === "number" && typeof ticks === "string" && typeof url === "string") return { pid, ticks, url };
  } catch {
    // A torn or foreign file announces nobody.
  }
  return undefined;
}

/** Empty where the system does not tell, or the process is gone. */
function startTicks(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
