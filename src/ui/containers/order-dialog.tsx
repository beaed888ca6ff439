/** Asks before a container is stopped, restarted or removed. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Check } from "../check.tsx";
import { Confirm } from "../confirm.tsx";
import { fullName } from "./containers.ts";
import type { Order, OrderKind, Orders } from "./orders.ts";
import { isAlive } from "./wording.ts";

interface Words {
  yes: string;
  detail: string;
}

const WORDS: Record<Exclude<OrderKind, "start">, Words> = {
  stop: {
    yes: "Stop",
    detail: "Its main process is asked to end, and killed when it takes longer than it was made with.",
  },
  restart: { yes: "Restart", detail: "It is stopped and started again; what it is doing now is broken off." },
  remove: { yes: "Remove", detail: "What it wrote outside of volumes is gone for good." },
};

export function OrderDialog({ orders }: { orders: Orders }) {
  const order = orders.asking.value;
  if (!order || order.kind === "start") return null;
  return order.kind === "remove" ? (
    <RemoveDialog orders={orders} order={order} />
  ) : (
    <Question orders={orders} order={order} words={WORDS[order.kind]} />
  );
}

/** What runs is killed only by a choice of its own. */
function RemoveDialog({ orders, order }: { orders: Orders; order: Order }) {
  const force = useSignal(false);
  const volumes = useSignal(false);
  const runs = isAlive(order.container);
  const words = { ...WORDS.remove, yes: force.value ? "Kill and remove" : "Remove" };
  const chosen = { ...order, force: force.value, volumes: volumes.value };
  return (
    <Question orders={orders} order={chosen} words={words} blocked={runs && !force.value}>
      {runs && <Check on={force}>Kill it first: it is {order.container.state}</Check>}
      <Check on={volumes}>Its anonymous volumes too</Check>
    </Question>
  );
}

interface QuestionProps {
  orders: Orders;
  order: Order;
  words: Words;
  blocked?: boolean;
  children?: ComponentChildren;
}

function Question({ orders, order, words, blocked = false, children }: QuestionProps) {
  return (
    <Confirm
      question={`${words.yes} ${fullName(order.container)}?`}
      detail={words.detail}
      no="Cancel"
      yes={words.yes}
      blocked={blocked}
      onYes={() => void orders.carryOut(order)}
      onNo={() => (orders.asking.value = undefined)}
    >
      {children}
    </Confirm>
  );
}
