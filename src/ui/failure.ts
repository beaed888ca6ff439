/** Whatever was thrown, as an error with a code and words. */

import { FairleadError } from "../protocol/errors.ts";

export function failure(thrown: unknown): FairleadError {
  if (thrown instanceof FairleadError) return thrown;
  return new FairleadError("internal", thrown instanceof Error ? thrown.message : String(thrown));
}
