/** What went wrong in the runtime, in the words of the protocol. */

import { asFairleadError as understood } from "../../door/problems.ts";
import type { FairleadError } from "../../protocol/errors.ts";
import { RuntimeError } from "../runtime/runtime.ts";
import { ofRuntime } from "../session/failure.ts";

/** Turns anything thrown into words for people; what is nobody's business becomes `internal`. */
export function asFairleadError(error: unknown): FairleadError {
  return error instanceof RuntimeError ? ofRuntime(error) : understood(error);
}
