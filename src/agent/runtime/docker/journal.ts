/** What must not be forgotten about running execs, on disk: an agent that was killed ends them when it starts again. */

import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { HostStart } from "../host/processes.ts";

const EXEC_ID = /^[0-9a-f]{64}$/;
const SUFFIX = ".json";

export interface ExecRecord {
  execId: string;
  containerId: string;
  /** Where the host's processes can be seen and signalled; `pid` once the exec runs. */
  host?: HostStart & { pid?: number };
  /** Elsewhere: a value in the environment of everything the exec started. */
  marker?: string;
  /** Whom the exec runs as, if not the container's own user; with the marker only. */
  user?: string;
  /** Whose it is, for the log. */
  session?: string;
}

/**
 * One small file per exec, each written whole before its name is in place. Not synced: what must survive is the
 * agent's own death, and a machine that loses its memory loses the execs with it.
 */
export class Journal {
  readonly #directory: string;

  /** Created with the first entry. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  async put(record: ExecRecord): Promise<void> {
    const path = this.#path(record.execId);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFile(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async remove(execId: string): Promise<void> {
    await rm(this.#path(execId), { force: true });
  }

  /**
   * Every readable entry, but for execs that are `owned` now: theirs may be half written. Another one that cannot be read
   * tells nothing, and is deleted.
   */
  async list(owned: ReadonlySet<string>): Promise<ExecRecord[]> {
    const names = await readdir(this.#directory).catch(() => [] as string[]);
    const records: ExecRecord[] = [];
    for (const name of names) {
      if (owned.has(name.split(".", 1)[0] ?? "")) continue;
      const record = await readRecord(join(this.#directory, name));
      if (record && name === record.execId + SUFFIX) records.push(record);
      else await rm(join(this.#directory, name), { force: true }).catch(() => undefined);
    }
    return records;
  }

  #path(execId: string): string {
    if (!EXEC_ID.test(execId)) throw new Error(`"${execId}" is not the id of an exec`);
    return join(this.#directory, execId + SUFFIX);
  }
}

async function readRecord(path: string): Promise<ExecRecord | undefined> {
  try {
    const value = JSON.parse(await readFile(path, "utf8")) as ExecRecord;
    const { host } = value;
    const fits = !host || (Number.isInteger(host.pid ?? 2) && (host.pid ?? 2) > 1 && Number.isInteger(host.startTime));
    return EXEC_ID.test(value.execId) && EXEC_ID.test(value.containerId) && fits ? value : undefined;
  } catch {
    return undefined;
  }
}
