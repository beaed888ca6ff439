/** What is done to a container as a whole: who may, one line in the audit when it begins and one when it is done. */

import { checkShare, takenFrom } from "../../auth/share.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Grant } from "../../protocol/rights.ts";
import type { Container, Order, Runtime } from "../runtime/runtime.ts";
import type { Trail } from "./audit.ts";
import type { Containers } from "./containers.ts";
import { toFairleadError } from "./failure.ts";
import type { Visitor } from "./purpose.ts";

/** Orders under way at a time. */
const MAX_ORDERS = 64;
/** In these states the engine removes a container by force only. */
const ALIVE = new Set<string>(["running", "paused", "restarting"]);

export interface LifecycleRequest {
  /** The container as the client named it. */
  reference: string;
  order: Order;
}

interface Admitted {
  container: Container;
  place: symbol;
}

export class Lifecycle {
  readonly #runtime: Runtime;
  readonly #containers: Containers;
  readonly #trail: Trail;
  readonly #cut = new AbortController();
  /** Whose each is that is taken. */
  readonly #places = new Map<symbol, string>();
  readonly #underWay = new Set<Promise<void>>();

  constructor({ runtime, containers }: { runtime: Runtime; containers: Containers }, trail: Trail) {
    this.#runtime = runtime;
    this.#containers = containers;
    this.#trail = trail;
  }

  /** Throws the refusal. What is admitted has its place at once, and until it has been carried out. */
  async admit(reference: string, grant: Grant): Promise<Admitted> {
    const taken = takenFrom([...this.#places.values()], grant.subject);
    checkShare(MAX_ORDERS, taken, `At most ${MAX_ORDERS} containers are started, stopped or removed at a time`);
    const place = Symbol(reference);
    this.#places.set(place, grant.subject);
    try {
      return { place, container: await this.#containers.find(reference, { grant, right: "lifecycle" }) };
    } catch (error) {
      this.#places.delete(place);
      throw error;
    }
  }

  async carryOut(order: Order, { place, container }: Admitted, visitor: Visitor): Promise<void> {
    await this.#carryOut(order, container, visitor).finally(() => this.#places.delete(place));
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Waits for no engine any more. Idempotent. */
  async close(): Promise<void> {
    this.#cut.abort(new FairleadError("shutting-down", "The agent is shutting down."));
    await this.idle();
  }

  async #carryOut(order: Order, container: Container, visitor: Visitor): Promise<void> {
    const ended = await this.#trail.acting(visitor, order, container);
    const work = this.#runtime.control(container.id, order, this.#cut.signal);
    const over = work.then(
      () => ended("done"),
      (error: unknown) => ended(toFairleadError(error).code),
    );
    this.#underWay.add(over);
    void over.then(() => this.#underWay.delete(over));
    await work.catch(async (error: unknown) => {
      throw await this.#explained(order, container, toFairleadError(error));
    });
  }

  /** The engine's own words name the container by its id, and leave the way out to its client. */
  async #explained(order: Order, { id, name }: Container, error: FairleadError): Promise<FairleadError> {
    if (order.kind !== "remove" || order.force || this.#cut.signal.aborted) return error;
    const now = await this.#runtime.inspect(id, this.#cut.signal).catch(() => undefined);
    if (!now || !ALIVE.has(now.state)) return error;
    const words = `The container "${name}" is ${now.state}; stop it first, or remove it by force (ctl rm -f, force=true).`;
    return new FairleadError("conflict", words, { cause: error });
  }
}
