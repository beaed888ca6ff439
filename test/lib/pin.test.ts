import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePin } from "../../src/lib/pin.ts";

const DIGITS = "480ad3f796a36784b9043798298f1d873a2a50f150bc1afe41881130ac8dc6b0";
const COLONS = DIGITS.toUpperCase().replace(/..(?!$)/g, "$&:");

test("a pin is read as the agent prints it and as browsers show it", () => {
  for (const text of [`sha256:${DIGITS}`, `SHA256:${DIGITS}`, DIGITS, COLONS, `sha256:${COLONS}`, ` ${DIGITS}\n`])
    assert.equal(parsePin(text), `sha256:${DIGITS}`, text);
});

test("what is no pin is refused", () => {
  const bad = [
    "",
    "sha256:",
    `sha256:${DIGITS.slice(1)}`,
    `sha256:${DIGITS}0`,
    `sha1:${DIGITS}`,
    `sha256:${DIGITS.replace("4", "g")}`,
    `:${DIGITS}`,
    `${DIGITS}:`,
    DIGITS.replace("480a", "4:80a"),
    `sha256/${Buffer.from(DIGITS, "hex").toString("base64")}`,
  ];
  for (const text of bad) assert.equal(parsePin(text), undefined, text);
});
