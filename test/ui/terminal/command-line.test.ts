/** Typed commands and the words they are made of. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { commandLine, words } from "../../../src/ui/terminal/command-line.ts";

test("a line is split at spaces, and quotes keep words together", () => {
  const cases: [string, string[]][] = [
    ["ls -l /", ["ls", "-l", "/"]],
    ["  sh   -c  'echo $HOME; exit 3' ", ["sh", "-c", "echo $HOME; exit 3"]],
    ['psql -c "select \\"a\\" from b"', ["psql", "-c", 'select "a" from b']],
    ["a\\ b c'd'\"e\"", ["a b", "cde"]],
    ["printf ''", ["printf", ""]],
    ['grep "a\\d"', ["grep", "a\\d"]],
  ];
  for (const [line, expected] of cases) assert.deepEqual(words(line), expected, line);
});

test("an open quote, a last backslash and nothing at all are said, not guessed", () => {
  for (const line of ["echo 'a", 'echo "a', "echo a\\"]) {
    assert.throws(() => words(line), { code: "bad-request", message: /quote|backslash/ });
  }
  assert.throws(() => words("   "), { code: "bad-request", message: /Type a command/ });
});

test("any command that is shown can be typed again as it stands", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (command) => {
      assert.deepEqual(words(commandLine(command)), command);
    }),
  );
});
