/** What is done to containers as a whole: one order a container at a time, a question before something ends, and why an order failed. */

import { signal } from "@preact/signals";
import { apiOf } from "../../protocol/version.ts";
import type { Account } from "../account.ts";
import { failure } from "../failure.ts";
import { fullName, type Placed } from "./containers.ts";

export type OrderKind = "start" | "stop" | "restart" | "remove";

/** What a row says meanwhile. */
export const UNDER_WAY: Record<OrderKind, string> = {
  start: "starting …",
  stop: "stopping …",
  restart: "restarting …",
  remove: "being removed …",
};

export interface Order {
  kind: OrderKind;
  container: Placed;
  /** Of a removal: kills what runs. */
  force?: boolean;
  /** Of a removal: the container's anonymous volumes too. */
  volumes?: boolean;
}

export class Orders {
  /** What is under way, by the id of the container. */
  readonly underWay = signal<ReadonlyMap<string, OrderKind>>(new Map());
  /** Waits for a yes. */
  readonly asking = signal<Order | undefined>(undefined);
  /** Why the last one failed. */
  readonly problem = signal<string | undefined>(undefined);
  readonly #account: Account;

  constructor(account: Account) {
    this.#account = account;
  }

  /** What ends something is asked about first. */
  request(order: Order): void {
    if (order.kind === "start") void this.carryOut(order);
    else this.asking.value = order;
  }

  /** Until the engine has done it, however long the container takes to end. Never rejects. */
  async carryOut(order: Order): Promise<void> {
    const { kind, container } = order;
    this.asking.value = undefined;
    this.problem.value = undefined;
    this.underWay.value = new Map([...this.underWay.peek(), [container.id, kind]]);
    try {
      const { method, path } = addressOf(order);
      await this.#account.call(`${apiOf(container.node)}/containers/${container.id}${path}`, { method });
    } catch (error) {
      const { code, message } = failure(error);
      // What has begun goes on when nobody waits for it.
      const perhaps = code === "unreachable" ? " It may be done all the same." : "";
      this.problem.value = `Could not ${kind} ${fullName(container)}: ${message}${perhaps}`;
    } finally {
      const left = new Map(this.underWay.peek());
      left.delete(container.id);
      this.underWay.value = left;
    }
  }
}

function addressOf({ kind, force, volumes }: Order): { method: string; path: string } {
  if (kind !== "remove") return { method: "POST", path: `/${kind}` };
  const options = [force && "force=true", volumes && "volumes=true"].filter(Boolean).join("&");
  return { method: "DELETE", path: options && `?${options}` };
}
