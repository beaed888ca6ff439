/** What went wrong in a session, in the words and codes that its client understands. */

import { MuxError } from "../../mux/errors.ts";
import { FairleadError, type Problem } from "../../protocol/errors.ts";
import type { Visitor } from "./purpose.ts";

/** Errors of the runtime carry codes that are ours too, a violation is the client's; anything else is a fault of this program. */
export function toFairleadError(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  if (error instanceof MuxError)
    return new FairleadError("protocol-error", `The other side broke the protocol: ${error.message}.`);
  const words = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "RuntimeError" && "code" in error)
    return FairleadError.from({
      type: "",
      title: "",
      status: 0,
      code: error.code === "invalid" ? "bad-request" : String(error.code),
      detail: words,
    });
  return new FairleadError("internal", words, { cause: error });
}

/** As this visitor is told it. */
export function problemFor({ request }: Visitor, error: FairleadError): Problem {
  return { ...error.problem(), ...(request !== undefined && { request }) };
}
