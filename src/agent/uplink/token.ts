/** The one-time token of a new host, and the pin of the server that it carries. */

import { parsePin } from "../../lib/pin.ts";
import { FairleadError } from "../../protocol/errors.ts";

const TOKEN = /^(flb_[A-Za-z0-9_-]{43})(?:\.([A-Za-z0-9_-]{43}))?$/;

export interface BootstrapToken {
  /** As the server wants it. */
  text: string;
  /** What the server's key must be; absent where an authority vouches for it, or it has no TLS. */
  pin: string | undefined;
}

/** Throws `bad-request` for a text that is no such token. */
export function readToken(text: string): BootstrapToken {
  const [whole, , compact] = TOKEN.exec(text.trim()) ?? [];
  if (whole === undefined)
    throw new FairleadError(
      "bad-request",
      "The token is not one of a Fairlead server; get one with: ctl nodes add NAME",
    );
  return { text: whole, pin: compact && parsePin(Buffer.from(compact, "base64url").toString("hex")) };
}
