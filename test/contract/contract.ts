/** The runtime's whole contract on one rig, and the table verb x engine when it is over. */

import { after, before } from "node:test";
import { printTable, type Rig } from "./rig.ts";
import { attachContract } from "./verbs/attach.ts";
import { copyContract } from "./verbs/copy.ts";
import { dialContract } from "./verbs/dial.ts";
import { eventsContract } from "./verbs/events.ts";
import { execContract } from "./verbs/exec.ts";
import { killContract } from "./verbs/kill.ts";
import { lifecycleContract } from "./verbs/lifecycle.ts";
import { listContract } from "./verbs/list.ts";
import { logsContract } from "./verbs/logs.ts";
import { statsContract } from "./verbs/stats.ts";

const VERBS = [
  listContract,
  lifecycleContract,
  statsContract,
  eventsContract,
  logsContract,
  execContract,
  killContract,
  attachContract,
  dialContract,
  copyContract,
];

/** `close` removes what the rig stands on. */
export function contract(rig: Rig, close: () => Promise<void> = () => Promise.resolve()): void {
  before(() => rig.open());
  after(async () => {
    try {
      await rig.close();
    } finally {
      await close();
    }
  });
  for (const verb of VERBS) verb(rig);
  printTable([rig]);
}
