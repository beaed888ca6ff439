/** What a container's row offers: a terminal and its log at once, everything else in a menu. */

import { type Choice, Menu } from "../menu.tsx";
import type { Tabs } from "../tabs.ts";
import { fullName, type Placed } from "./containers.ts";
import type { OrderKind, Orders } from "./orders.ts";
import { isAlive, may } from "./wording.ts";

export interface ActionsProps {
  container: Placed;
  tabs: Tabs;
  orders: Orders;
}

export function Actions(props: ActionsProps) {
  const { container, tabs } = props;
  const name = fullName(container);
  const full = fullWords(tabs);
  const unless = full ?? stoppedWords(container);
  return (
    <>
      {may(container, "exec") && (
        <button
          aria-label={`Terminal in ${name}`}
          disabled={unless !== undefined}
          title={unless}
          onClick={() => tabs.terminal(container, { asks: false })}
        >
          Terminal
        </button>
      )}
      {may(container, "logs") && (
        <button
          aria-label={`Log of ${name}`}
          disabled={full !== undefined}
          title={full}
          onClick={() => tabs.log(container)}
        >
          Log
        </button>
      )}
      {choices(props).length > 0 && <Menu label={`More for ${name}`} choices={() => choices(props)} />}
    </>
  );
}

function choices({ container, tabs, orders }: ActionsProps): Choice[] {
  const unless = fullWords(tabs) ?? stoppedWords(container);
  const writes = may(container, "attach-rw");
  const found: (Choice | false)[] = [
    may(container, "inspect") && {
      words: "Details",
      unless: fullWords(tabs),
      choose: () => tabs.details(container),
    },
    may(container, "exec") && {
      words: "Run a command …",
      unless,
      choose: () => tabs.terminal(container, { asks: true }),
    },
    (writes || may(container, "attach-ro")) && {
      words: "Attach",
      unless,
      choose: () => tabs.attach(container, { onlyLooks: !writes }),
    },
  ];
  return [...found.filter((choice) => choice !== false), ...orderChoices(container, orders)];
}

/** Only what its state allows. */
function orderChoices(container: Placed, orders: Orders): Choice[] {
  if (!may(container, "lifecycle")) return [];
  const unless = orders.underWay.value.has(container.id) ? "Something is under way already." : undefined;
  const choice = (words: string, kind: OrderKind, danger = false): Choice => {
    return { words, unless, danger, choose: () => orders.request({ kind, container }) };
  };
  const now = isAlive(container) ? [choice("Stop", "stop"), choice("Restart", "restart")] : [choice("Start", "start")];
  return [...now, choice("Remove …", "remove", true)];
}

function fullWords(tabs: Tabs): string | undefined {
  return tabs.full.value ? "Close a tab first: no more can be open." : undefined;
}

function stoppedWords({ state }: Placed): string | undefined {
  return state === "running" ? undefined : "The container is not running.";
}
