/** Files into and out of a container: an archive on its way, counted and hashed, never unpacked here. */

import type { CopyInBody, CopyOutBody } from "../../protocol/open.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Digest, ExitStatus } from "../../protocol/packet.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { Beginning } from "./compressed.ts";
import { type CopyHash, gmacOf, sha256Of } from "./copy-hash.ts";
import { riskOfCopy } from "./copy-risk.ts";
import { toFairleadError } from "./failure.ts";
import type { SessionIo } from "./io.ts";

/** A copy is ended in which nothing moves for so many milliseconds: the engine lets nobody else near the container meanwhile. */
const MAX_STALL_MS = 60_000;

/** Ends with the archive and its digest. */
export async function serveCopyOut(
  io: SessionIo,
  id: string,
  { path, follow = false, gmac }: CopyOutBody,
  runtime: Runtime,
): Promise<ExitStatus> {
  const warning = await riskOfCopy(runtime, id, io.signal);
  const source = await runtime.copyOut(id, { path, follow }, io.signal);
  const moved = new Moved(io, gmac);
  try {
    io.accept({ place: source.place, ...(warning && { warning }) });
    for await (const bytes of source.archive) {
      moved.add(bytes);
      await io.send({ type: "stdout", bytes });
    }
    await io.send({ type: "digest", digest: moved.digest() });
    return { code: 0 };
  } finally {
    moved.close();
    source.close();
  }
}

/** Ends when the engine has unpacked what came before the client's `end`; without one the engine is told that it is not whole. */
export async function serveCopyIn(
  io: SessionIo,
  id: string,
  { path, gmac }: CopyInBody,
  runtime: Runtime,
): Promise<ExitStatus> {
  const warning = await riskOfCopy(runtime, id, io.signal);
  const sink = await runtime.copyIn(id, path, io.signal);
  const moved = new Moved(io, gmac);
  try {
    io.accept({ place: sink.place, ...(warning && { warning }) });
    const beginning = new Beginning();
    await untilEnd(io, async (bytes) => {
      beginning.check(bytes);
      moved.add(bytes);
      await sink.write(bytes, () => io.recycle(bytes));
    });
    await sink.finish();
    await io.send({ type: "digest", digest: moved.digest() });
    return { code: 0 };
  } finally {
    moved.close();
    sink.close();
  }
}

/** What a copy has moved so far; ends it when it stalls. */
class Moved {
  #bytes = 0;
  readonly #hash: CopyHash;
  readonly #stall: NodeJS.Timeout;

  /** `gmac` is a key, where the client gave one. */
  constructor(io: SessionIo, gmac: string | undefined) {
    this.#hash = gmac === undefined ? sha256Of() : gmacOf(gmac);
    const words = `Nothing of the copy moved for ${MAX_STALL_MS / 1000} s; meanwhile the engine kept others from the container.`;
    this.#stall = setTimeout(() => io.end(new FairleadError("idle", words)), MAX_STALL_MS);
  }

  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#hash.add(bytes);
    this.#stall.refresh();
  }

  digest(): Digest {
    return { bytes: this.#bytes, ...this.#hash.end() };
  }

  close(): void {
    clearTimeout(this.#stall);
  }
}

/** Hands on what the client sends, up to its `end`. Rejects when `use` does, and when the session ends before. */
function untilEnd(io: SessionIo, use: (bytes: Uint8Array) => Promise<void>): Promise<void> {
  const read = async () => {
    for await (const packet of io.packets()) {
      if (packet.type === "end") return;
      if (packet.type !== "stdin")
        throw new FairleadError("protocol-error", `A client may not send ${packet.type} to a copy.`);
      await use(packet.bytes);
    }
    throw new FairleadError("client-gone", "The archive is not complete.");
  };
  return new Promise((resolve, reject) => {
    const ended = () => reject(toFairleadError(io.signal.reason));
    io.signal.addEventListener("abort", ended, { once: true });
    if (io.signal.aborted) ended();
    read()
      .then(resolve, reject)
      .finally(() => io.signal.removeEventListener("abort", ended));
  });
}
