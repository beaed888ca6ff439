/** Which rights an operation may take: what the server asks before it bothers an agent, which knows better and asks again. */

import { holds } from "../../auth/grant.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { type Grant, RIGHTS, type Right } from "../../protocol/rights.ts";

/** Any one of these. Of an operation that is not here the agent alone knows; whoever may do nothing at all may not ask. */
const RIGHTS_OF: Partial<Record<string, readonly Right[]>> = {
  logs: ["logs"],
  exec: ["exec"],
  attach: ["attach-ro", "attach-rw"],
  forward: ["forward"],
  dial: ["forward"],
  proxy: ["proxy"],
  connect: ["proxy"],
};

/** Throws what an agent answers about a container that the caller may not use: it does not exist. */
export function checkOperation(op: string, grant: Grant): void {
  const rights = Object.hasOwn(RIGHTS_OF, op) ? (RIGHTS_OF[op] ?? RIGHTS) : RIGHTS;
  if (rights.some((right) => holds(grant, right))) return;
  throw new FairleadError("not-found", "There is no such container, or none that you may use.");
}
