/** What went wrong in a session, in the words and codes that its client understands. */

import { MuxError } from "../../mux/errors.ts";
import { FairleadError, type Problem } from "../../protocol/errors.ts";
import { RuntimeError } from "../runtime/runtime.ts";
import type { Visitor } from "./purpose.ts";

/** A violation is the client's; what is neither ours nor the runtime's is a fault of this program. */
export function toFairleadError(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  if (error instanceof RuntimeError) return ofRuntime(error);
  if (error instanceof MuxError)
    return new FairleadError("protocol-error", `The other side broke the protocol: ${error.message}.`);
  const words = error instanceof Error ? error.message : String(error);
  return new FairleadError("internal", words, { cause: error });
}

/** The runtime's codes are ours too. */
export function ofRuntime({ code, message }: RuntimeError): FairleadError {
  return new FairleadError(code === "invalid" ? "bad-request" : code, message);
}

/** As this visitor is told it. */
export function problemFor({ request }: Visitor, error: FairleadError): Problem {
  return { ...error.problem(), ...(request !== undefined && { request }) };
}
