/** What a kind of session sees of it: packets both ways, a signal, and the words that let the client in. */

import type { FairleadError } from "../../protocol/errors.ts";
import type { Opened } from "../../protocol/open.ts";
import type { ExitStatus, Packet } from "../../protocol/packet.ts";

/** What the client is told when its session is accepted. */
export type Details = Partial<Pick<Opened, "tty" | "stdin" | "user" | "place" | "warning">>;

export interface SessionIo {
  /** Of the session. */
  readonly id: string;
  /** Aborted when the session must end; the reason is the FairleadError that the client is told. */
  readonly signal: AbortSignal;
  /** Tells the client that it is on. Before this a failure is a refusal, afterwards the end of the session. */
  accept(details?: Details): void;
  /** What the client says; asking for the next packet says that this one has been dealt with. Read once. */
  packets(): AsyncIterable<Packet>;
  /** Nobody looks at the bytes of this packet any more: their memory may be used for another one. Need not be said. */
  recycle(bytes: Uint8Array): void;
  /** Resolves when there is room for more. Rejects once the session ends. */
  send(packet: Packet): Promise<void>;
  /** Ends the session with this error; the first one counts. */
  end(error: FairleadError): void;
}

/** How it ended. */
export type Outcome = { status: ExitStatus } | { error: FairleadError };

export type Serve = (io: SessionIo) => Promise<ExitStatus>;
