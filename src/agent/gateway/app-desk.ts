/** How the pages of this host's containers are carried: each app by a session of the desk, which dials for it. */

import type { Port } from "../../door/apps/addresses.ts";
import type { AppDesk } from "../../door/apps/desk.ts";
import { RuntimeError } from "../runtime/runtime.ts";
import { ofRuntime } from "../session/failure.ts";
import type { SessionDesk } from "./options.ts";

/** What the desk is asked for. */
export function proxyRequest({ container, port }: Port) {
  return { header: { op: "proxy", container, onDrop: "kill" }, body: { port } } as const;
}

export function appDesk(sessions: Pick<SessionDesk, "open" | "connect">): AppDesk {
  return {
    open: async (port, visit) => {
      const session = await sessions.open(proxyRequest(port), visit);
      const { opened } = session;
      return {
        container: opened.container,
        ended: drained(session.packets()),
        connect: () => sessions.connect(opened).catch(inWords),
        close: () => session.close(),
      };
    },
  };
}

/** Until the session is over; the words of its end are for nobody. */
async function drained(packets: AsyncIterable<unknown>): Promise<void> {
  try {
    for await (const _ of packets);
  } catch {
    // However it ended.
  }
}

function inWords(error: unknown): never {
  throw error instanceof RuntimeError ? ofRuntime(error) : error;
}
