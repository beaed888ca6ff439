/** A terminal that everybody trusts, to compare the page's with: a tmux of our own around the engine's own client. */

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface Size {
  cols: number;
  rows: number;
}

export interface Tmux {
  /** Names as tmux has them (`Escape`, `F10`); text is typed as it is. */
  keys(...keys: string[]): Promise<void>;
  resize(size: Size): Promise<void>;
  /** The rows of the screen, without the blanks at their ends. */
  screen(): Promise<string[]>;
  close(): Promise<void>;
}

/** Runs the command in a terminal of that size. */
export async function startTmux(command: string[], { cols, rows }: Size): Promise<Tmux> {
  const directory = await mkdtemp(join(tmpdir(), "fl-tmux-"));
  const config = join(directory, "tmux.conf");
  await writeFile(config, "set -g status off\nset -g remain-on-exit on\nset -g escape-time 0\n");
  const tmux = async (...words: string[]): Promise<string> => {
    const { stdout } = await run("tmux", ["-u", "-S", join(directory, "socket"), "-f", config, ...words]);
    return stdout;
  };
  await tmux("new-session", "-d", "-x", String(cols), "-y", String(rows), ...command);
  return {
    keys: async (...keys) => void (await tmux("send-keys", ...keys)),
    resize: async (size) => void (await tmux("resize-window", "-x", String(size.cols), "-y", String(size.rows))),
    screen: async () => {
      const lines = (await tmux("capture-pane", "-p")).replace(/\n$/, "").split("\n");
      return lines.map((line) => line.trimEnd());
    },
    close: async () => {
      await tmux("kill-server");
      await rm(directory, { recursive: true, force: true });
    },
  };
}
