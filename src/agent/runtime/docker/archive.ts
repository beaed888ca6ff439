/** Files out of a container, as the engine's own archive: for containers without tar and without a process. */

import type { IncomingMessage } from "node:http";
import { posix } from "node:path";
import { type CopySource, type Place, RuntimeError } from "../runtime.ts";
import { explained } from "./archive-words.ts";
import { rawInspect, requireId } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";
import { query } from "./wire-head.ts";

/** Where the engine describes what is at a path: JSON in base64. */
const STAT_HEADER = "x-docker-container-path-stat";

/** Of the bits of a mode, as the engine's language counts them, those that say what it is. */
const KIND_BITS = 0x8f280000;
const DIRECTORY = 0x80000000;
const LINK = 0x08000000;

export interface CopyTarget {
  id: string;
  path: string;
}

export interface Reach {
  engine: Engine;
  to: CopyTarget;
  signal: AbortSignal;
}

export async function openCopyOut(
  engine: Engine,
  { id, path, follow }: CopyTarget & { follow: boolean },
  signal: AbortSignal,
): Promise<CopySource> {
  requireId(id);
  const place = follow
    ? await placeBehindLinks(engine, { id, path }, signal)
    : await look(engine, { id, path }, signal);
  const from = { id, path: place?.path ?? path };
  const request = { method: "GET", path: archiveAddress(from) } as const;
  const wire = await engine.stream(request, signal).catch((error: unknown) => {
    throw explained(error, from.path);
  });
  // What the engine could not describe it has refused by now, in words.
  const { kind, name, size, target } = place ?? { kind: "other", name: posix.basename(path), size: 0 };
  return {
    place: { kind, name, size, ...(target !== undefined && { target }) },
    archive: archiveOf(wire.bulk(), { engine, to: from, signal }),
    close: () => wire.destroy(),
  };
}

export type PathPlace = Place & { path: string };

/** The engine has followed all links when it says where one leads. */
export async function placeBehindLinks(
  engine: Engine,
  at: CopyTarget,
  signal: AbortSignal,
): Promise<PathPlace | undefined> {
  const place = await look(engine, at, signal);
  if (place?.kind !== "link" || !place.target) return place;
  const { target } = place;
  return (
    (await look(engine, { id: at.id, path: target }, signal)) ?? {
      kind: "absent",
      name: posix.basename(target),
      size: 0,
      path: target,
    }
  );
}

/** Undefined where the engine finds nothing, or nothing that it can use: what is asked for next gives words for that. */
async function look(engine: Engine, { id, path }: CopyTarget, signal: AbortSignal): Promise<PathPlace | undefined> {
  try {
    const answer: IncomingMessage = await engine.call(signal, (docker, abortSignal) =>
      docker.getContainer(id).infoArchive({ path, abortSignal }),
    );
    answer.resume();
    return { path, ...placeOf(String(answer.headers[STAT_HEADER])) };
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "engine-unavailable") throw error;
    signal.throwIfAborted();
    return undefined;
  }
}

/** What is missing has a value that does no harm. */
function placeOf(header: string): Place {
  const stat = JSON.parse(Buffer.from(header, "base64").toString()) as Record<string, unknown>;
  const { name = "", size = 0, mode = KIND_BITS, linkTarget = "" } = stat;
  const kind = kindOf(Number(mode));
  // Podman names one for what is no link, too.
  return { name: String(name), size: Number(size), kind, ...(kind === "link" && { target: String(linkTarget) }) };
}

function kindOf(mode: number): Place["kind"] {
  const bits = (mode & KIND_BITS) >>> 0;
  if (bits === DIRECTORY) return "directory";
  if (bits === LINK) return "link";
  return bits === 0 ? "file" : "other";
}

export function archiveAddress({ id, path }: CopyTarget, options: Record<string, boolean> = {}): string {
  return `/containers/${id}/archive?${query({ path, ...options })}`;
}

/** A body that breaks off because the container went is told as that. */
async function* archiveOf(body: AsyncIterable<Uint8Array>, { engine, to: from, signal }: Reach) {
  try {
    yield* body;
  } catch (error) {
    signal.throwIfAborted();
    await rawInspect(engine, from.id, signal);
    throw new RuntimeError("engine-error", `The engine broke off the copy of ${from.path}: ${describe(error)}`, {
      cause: error,
    });
  }
}
