/** What a session is made for: by whom, on which container, with what right, and what becomes of it without its client. */

import type { Subject } from "../../auth/grant.ts";
import type { Budget } from "../../mux/budget.ts";
import type { Channel } from "../../mux/channel.ts";
import type { Right } from "../../protocol/rights.ts";
import type { Container } from "../runtime/runtime.ts";
import type { Meter } from "./meter.ts";

/** Who is on the other side of a connection, and by which door. */
export interface Visitor {
  subject: Subject;
  /** For the audit: an address and a door. */
  remote: string;
  /** The id of the HTTP request by which he came; of what came through a server the id that this gave to the session. */
  request?: string;
}

/** What the session was opened for. */
export interface Purpose {
  kind: string;
  right: Right;
  /** The container as the client named it; empty on the host itself. */
  reference: string;
  /** As it was when the session was opened; absent on the host itself. */
  container?: Container | undefined;
  /** Of a forward: the ports that its connections may go to. */
  ports?: number[] | undefined;
}

export interface SessionSpec extends Purpose {
  /** Chosen by whoever let the client in; else one is made up. */
  id?: string | undefined;
  visitor: Visitor;
  onDrop: "kill" | "keep";
  /** Milliseconds. */
  grace: number;
  channel: Channel;
  budget: Budget;
  meter?: Pick<Meter, "began"> | undefined;
}
