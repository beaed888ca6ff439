/** A pass as it comes with a request: shown in a header, and proved on the TLS connection that carries it. */

import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import type { Subject } from "../auth/grant.ts";
import { FairleadError } from "../protocol/errors.ts";
import { BINDING, PASS_SCHEME } from "../protocol/pass.ts";

/** Lets its holder in, or throws a FairleadError. */
export type PassCheck = (request: IncomingMessage, shown: string) => Subject;

/** Those who decide about passes. */
interface PassDesk {
  admit(shown: string, bearer: { binding: string; over: AbortSignal }): Subject;
}

const SHOWN = new RegExp(`^${PASS_SCHEME} +(\\S+)$`, "i");

/** The pass and its proof; undefined where none is shown. */
export function shownPass({ headers: { authorization = "" } }: IncomingMessage): string | undefined {
  return SHOWN.exec(authorization)?.[1];
}

/** Where a proxy does the TLS, nothing binds the pass to its holder's end of it, and it is refused. */
export function passCheck(desk: PassDesk): PassCheck {
  return ({ socket }, shown) => {
    if (!(socket instanceof TLSSocket) || socket.getProtocol() !== "TLSv1.3")
      throw new FairleadError(
        "bad-grant",
        "A pass is good only over TLS 1.3, and only on a connection to the agent itself.",
      );
    const binding = socket.exportKeyingMaterial(BINDING.bytes, BINDING.label, Buffer.alloc(0)).toString("base64url");
    const over = new AbortController();
    socket.once("close", () => over.abort());
    return desk.admit(shown, { binding, over: over.signal });
  };
}
