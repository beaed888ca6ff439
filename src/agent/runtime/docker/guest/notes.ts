/** Which helper containers this agent has made, on disk: the next one removes those that a killed agent could not. */

import { randomUUID } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

const NAME = /^fairlead-dial-[0-9a-f-]{36}$/;

/** That no other container has. */
export function guestName(): string {
  return `fairlead-dial-${randomUUID()}`;
}

/** An empty file for each, of its name. */
export class GuestNotes {
  readonly #directory: string;

  /** Created with the first note. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** To be called before the container can exist. */
  async add(name: string): Promise<void> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFile(join(this.#directory, name), "", { mode: 0o600 });
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.#directory, name), { force: true });
  }

  async list(): Promise<string[]> {
    const names = await readdir(this.#directory).catch(() => [] as string[]);
    return names.filter((name) => NAME.test(name));
  }
}
