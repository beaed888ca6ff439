/** What an agent says when it refuses. */

import assert from "node:assert/strict";
import type { ErrorCode } from "../../src/protocol/errors.ts";

export async function refused(asking: Promise<unknown>, code: ErrorCode, words: RegExp): Promise<void> {
  const problem = await refusal(asking);
  assert.equal(problem.code, code, problem.words);
  assert.match(problem.words, words);
}

export async function refusal(asking: Promise<unknown>): Promise<{ code: string; words: string }> {
  const error: unknown = await asking.then(
    () => assert.fail("it was not refused"),
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof Error && "code" in error, `refused with ${String(error)}`);
  return { code: String(error.code), words: error.message };
}
