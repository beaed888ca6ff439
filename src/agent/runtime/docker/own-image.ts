/** Which image this program runs from, where it runs in a container of the engine it talks to. */

import { existsSync, readFileSync } from "node:fs";
import { RuntimeError } from "../runtime.ts";
import { rawInspect } from "./containers.ts";
import type { Engine } from "./engine.ts";

const OWN_MOUNTS = "/proc/self/mountinfo";
/** Engines mount these files from a directory of the container's; in mountinfo the source stands before the place. */
const OWN_FILE =
  /\/([0-9a-f]{64})\/(?:userdata\/)?(?:hostname|hosts|resolv\.conf) \/etc\/(?:hostname|hosts|resolv\.conf) /;

/** Of which helper containers are made. */
export class HelperImage {
  readonly #engine: Engine;
  #known: string | undefined;

  /** `configured` is the owner's word; without it, it is the image that this program runs from. */
  constructor(engine: Engine, configured?: string) {
    this.#engine = engine;
    this.#known = configured;
  }

  /** Undefined where there is none. Throws RuntimeError when the engine is away. */
  async find(signal: AbortSignal): Promise<string | undefined> {
    this.#known ??= await ownImage(this.#engine, signal);
    return this.#known;
  }
}

/** The image's id; undefined outside of a container, and in one of another engine. Throws RuntimeError when the engine is away. */
export async function ownImage(engine: Engine, signal: AbortSignal): Promise<string | undefined> {
  const id = ownContainer();
  if (!id) return undefined;
  try {
    return (await rawInspect(engine, id, signal)).Image;
  } catch (error) {
    if (error instanceof RuntimeError && error.code === "not-found") return undefined;
    throw error;
  }
}

/** The id of the container that this program runs in; `mountinfo` is a file as proc(5) describes it. */
export function ownContainer(mountinfo = ownMounts()): string | undefined {
  return OWN_FILE.exec(mountinfo)?.[1];
}

/** Empty where the system has no such file. */
function ownMounts(): string {
  return existsSync(OWN_MOUNTS) ? readFileSync(OWN_MOUNTS, "utf8") : "";
}
