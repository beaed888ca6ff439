/** The file by which `ctl` finds this machine's agent, and by which a second agent finds out that it is one too many. */

import { readFileSync } from "node:fs";
import { StartError } from "../boot/run.ts";
import type { StateDirectory } from "../boot/state.ts";

/** In the state directory. */
const FILE = "agent.json";

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

export class Presence {
  readonly #state: StateDirectory;
  readonly #own: Announcement;

  private constructor(state: StateDirectory, own: Announcement) {
    this.#state = state;
    this.#own = own;
  }

  /** Throws StartError when a living agent has this state directory: two would end each other's processes. */
  static async claim(state: StateDirectory, pid: number): Promise<Presence> {
    const own = { pid, ticks: startTicks(pid), url: "" };
    const presence = new Presence(state, own);
    if (await state.create(FILE, JSON.stringify(own))) return presence;
    const other = parse(await state.read(FILE));
    if (other && other.pid !== pid && other.ticks !== "" && startTicks(other.pid) === other.ticks)
      throw new StartError(
        `An agent already runs with the state in ${state.path} (pid ${other.pid}${other.url && `, ${other.url}`}); end it, or give this one another data_dir.`,
      );
    await state.replace(FILE, JSON.stringify(own));
    return presence;
  }

  async announce({ url, socket, pin }: Where): Promise<void> {
    this.#own.url = url;
    if (socket) this.#own.socket = socket;
    if (pin) this.#own.pin = pin;
    await this.#state.replace(FILE, JSON.stringify(this.#own));
  }

  async release(): Promise<void> {
    await this.#state.remove(FILE);
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
