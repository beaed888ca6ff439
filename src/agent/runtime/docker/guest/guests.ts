/** The agent's helper containers in other containers' networks: at most one for each, none for longer than it is needed, and none left behind. */

import { Budget } from "../../../../mux/budget.ts";
import { RuntimeError } from "../../runtime.ts";
import type { Engine } from "../engine.ts";
import type { Log } from "../log.ts";
import type { HelperImage } from "../own-image.ts";
import type { Wire } from "../wire.ts";
import { removeGuest, startGuest } from "./container.ts";
import { Guest } from "./guest.ts";
import { GuestNotes, guestName } from "./notes.ts";

/** At the same time. */
const MAX_GUESTS = 16;
/** Bytes by which the windows of all their connections together may grow. */
const BUDGET = 33_554_432;
/** Milliseconds to remove one. */
const REMOVE_TIMEOUT = 10_000;

export interface GuestsOptions {
  /** The agent's state directory: they are noted in `guests/` below it. */
  stateDir: string;
  helperImage: HelperImage;
  log: Log;
}

export class Guests {
  readonly #engine: Engine;
  readonly #options: GuestsOptions;
  readonly #notes: GuestNotes;
  readonly #budget = new Budget(BUDGET);
  /** For further dials, by the container that they are in. */
  readonly #open = new Map<string, Guest>();
  /** All that are not over. */
  readonly #live = new Set<Guest>();
  /** Names of containers that may be there. */
  readonly #owned = new Set<string>();
  readonly #ending = new Set<Promise<void>>();

  constructor(engine: Engine, options: GuestsOptions) {
    this.#engine = engine;
    this.#options = options;
    this.#notes = new GuestNotes(`${options.stateDir}/guests`);
  }

  /** The one in this container's network; it may still be starting. Throws RuntimeError when there are too many. */
  of(target: string): Guest {
    const known = this.#open.get(target);
    if (known && !known.ended) return known;
    this.#makeRoom();
    const name = guestName();
    const guest = new Guest({ start: (signal) => this.#start({ name, target }, signal), budget: this.#budget });
    this.#open.set(target, guest);
    this.#live.add(guest);
    const ending = guest.over.then(async () => {
      if (this.#open.get(target) === guest) this.#open.delete(target);
      this.#live.delete(guest);
      if (this.#owned.has(name)) await this.#remove(name);
      this.#ending.delete(ending);
    });
    this.#ending.add(ending);
    return guest;
  }

  /** Its container has stopped. */
  drop(target: string): void {
    this.#open.get(target)?.close();
    this.#open.delete(target);
  }

  /** Removes what earlier agents noted and nobody owns now. */
  async recover(): Promise<void> {
    const left = (await this.#notes.list()).filter((name) => !this.#owned.has(name));
    await Promise.all(left.map((name) => this.#remove(name)));
  }

  /** Ends all, with what they carry. */
  async close(): Promise<void> {
    for (const guest of this.#live) guest.end();
    await Promise.all(this.#ending);
  }

  async #start({ name, target }: { name: string; target: string }, signal: AbortSignal): Promise<Wire> {
    const image = await this.#options.helperImage.find(signal);
    if (!image) throw noImage();
    this.#owned.add(name);
    const noted = this.#notes.add(name);
    await noted.catch((cause: unknown) => this.#options.log.warn({ name, cause }, "A helper container is not noted."));
    const started = performance.now();
    const wire = await startGuest(this.#engine, { name, image, target }, signal);
    const ms = Math.round(performance.now() - started);
    this.#options.log.debug({ name, image, container: target, ms }, "Started a helper container.");
    return wire;
  }

  #makeRoom(): void {
    if (this.#live.size < MAX_GUESTS) return;
    const idle = [...this.#open].find(([, guest]) => guest.isIdle);
    if (!idle) {
      const words = `${MAX_GUESTS} containers are reached through helper containers already; end the connections to one of them.`;
      throw new RuntimeError("dial-failed", words);
    }
    this.drop(idle[0]);
  }

  /** It ends by itself with its streams, and the engine then removes it: this is for all the times when one of them does not. */
  async #remove(name: string): Promise<void> {
    const gone = await removeGuest(this.#engine, name, AbortSignal.timeout(REMOVE_TIMEOUT));
    this.#owned.delete(name);
    if (gone) await this.#notes.remove(name).catch(() => {});
    else this.#options.log.warn({ name }, "A helper container may be left; the next start removes it.");
  }
}

function noImage(): RuntimeError {
  const words =
    "Its network can only be entered by a helper container, for which helper_image has to name Fairlead's image on that engine (docs/install.md).";
  return new RuntimeError("unsupported", words);
}
