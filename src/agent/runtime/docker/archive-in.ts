/** Files into a container, as an archive that its engine unpacks. */

import { posix } from "node:path";
import type { CopySink, Place } from "../runtime.ts";
import { archiveAddress, type CopyTarget, placeBehindLinks, type Reach } from "./archive.ts";
import { explained, refusal } from "./archive-words.ts";
import { rawInspect, requireId } from "./containers.ts";
import type { Engine } from "./engine.ts";
import type { Upload } from "./upload.ts";

export async function openCopyIn(engine: Engine, { id, path }: CopyTarget, signal: AbortSignal): Promise<CopySink> {
  requireId(id);
  const found = await placeBehindLinks(engine, { id, path }, signal);
  const end = found?.path ?? posix.normalize(posix.join("/", path)).replace(/(.)\/$/, "$1");
  const place: Place = found ?? { kind: "absent", name: posix.basename(end), size: 0 };
  const { kind, name, size } = place;
  const to = { id, path: kind === "directory" ? end : posix.dirname(end) };
  if (kind !== "directory") await requireDirectory({ engine, to, signal });
  return new Sink({ engine, to, signal }, { kind, name, size });
}

/** The engine is asked when the first bytes are there: from then on it may keep everybody else from the container. */
class Sink implements CopySink {
  readonly place: Place;
  readonly #reach: Reach;
  #upload: Promise<Upload> | undefined;
  #closed = false;

  constructor(reach: Reach, place: Place) {
    this.#reach = reach;
    this.place = place;
  }

  async write(bytes: Uint8Array, left?: () => void): Promise<void> {
    await this.#tell((upload) => upload.write(bytes, left));
  }

  async finish(): Promise<void> {
    await this.#tell((upload) => upload.finish());
  }

  close(): void {
    this.#closed = true;
    this.#upload?.then(
      (upload) => upload.destroy(),
      () => {},
    );
  }

  async #tell(work: (upload: Upload) => Promise<void>): Promise<void> {
    const { to, signal } = this.#reach;
    try {
      const upload = await (this.#upload ??= this.#open());
      if (this.#closed) upload.destroy();
      await work(upload);
    } catch (error) {
      signal.throwIfAborted();
      throw explained(error, to.path);
    }
  }

  #open(): Promise<Upload> {
    const { engine, to, signal } = this.#reach;
    const path = archiveAddress(to, { noOverwriteDirNonDir: true });
    return engine.upload({ method: "PUT", path, streams: "application/x-tar" }, signal);
  }
}

/** Engines differ in what they do where there is none. */
async function requireDirectory({ engine, to, signal }: Reach): Promise<void> {
  const place = await placeBehindLinks(engine, to, signal);
  if (place?.kind === "directory") return;
  if (place && place.kind !== "absent") throw refusal("not-a-directory", to.path);
  // Says so when it is the container that is not there.
  await rawInspect(engine, to.id, signal);
  throw refusal("path-not-found", to.path);
}
