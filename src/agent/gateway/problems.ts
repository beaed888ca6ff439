/** What went wrong in the runtime, in the words of the protocol. */

import { asFairleadError as understood } from "../../door/problems.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { RuntimeError } from "../runtime/runtime.ts";

/** Turns anything thrown into words for people; what is nobody's business becomes `internal`. */
export function asFairleadError(error: unknown): FairleadError {
  if (!(error instanceof RuntimeError)) return understood(error);
  return new FairleadError(error.code === "invalid" ? "bad-request" : error.code, error.message);
}
