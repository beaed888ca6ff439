import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { VisibleText } from "../../src/ctl/visible-text.ts";

const RED = "\u001b[31m";
const RESET = "\u001b[0m";

/** Given in these pieces. */
function shown(pieces: (string | Uint8Array)[], colours = true): string {
  const text = new VisibleText({ colours });
  const parts = pieces.map((piece) => text.add(typeof piece === "string" ? Buffer.from(piece) : piece));
  return Buffer.concat([...parts, text.end()]).toString();
}

suite("what a container printed", () => {
  test("stays as it is where nothing in it steers a terminal", () => {
    for (const text of ["", "one\ntwo\n", "tab\there\r\n", "żółw 🐢 \u200d ﻿end", "no newline"])
      assert.equal(shown([text]), text);
  });

  test("shows a picture of each control character, a name of each other one that steers", () => {
    assert.equal(shown(["a\u0000b\u0007c\u0008d\u007fe\u001bcf"]), "a␀b␇c␈d␡e␛cf");
    assert.equal(shown(["title \u001b]0;x\u0007 clear \u001b[2J up \u001b[1A"]), "title ␛]0;x␇ clear ␛[2J up ␛[1A");
    assert.equal(shown(["csi \u009b2J turned \u202eright"]), "csi \\u009b2J turned \\u202eright");
    assert.equal(shown(["over\rwritten\n"]), "over␍written\n");
  });

  test("shows bytes that are no text as what they are not", () => {
    assert.equal(shown([Uint8Array.of(0x61, 0x9b, 0x32, 0x4a, 0xff)]), "a\ufffd2J\ufffd");
  });

  test("keeps well-formed colours, and ends them at the end of the line", () => {
    assert.equal(shown([`${RED}red${RESET} plain\n`]), `${RED}red${RESET} plain\n`);
    assert.equal(shown([`${RED}red\nplain\r\n`]), `${RED}red${RESET}\nplain\r\n`);
    assert.equal(shown([`\u001b[1;38;5;200mpink\r\n`]), `\u001b[1;38;5;200mpink${RESET}\r\n`);
    assert.equal(shown([`${RED}to the end`]), `${RED}to the end${RESET}`);
    assert.equal(shown([`\u001b[mplain\n`]), `\u001b[mplain\n`);
  });

  test("shows what only looks like a colour", () => {
    for (const parameters of ["?25", "31 ", "3\u001b[31", ":", ">4;1", "1".repeat(64)])
      assert.ok(shown([`\u001b[${parameters}m`]).startsWith("␛["), parameters);
  });

  test("shows colours too where none are wanted", () => {
    assert.equal(shown([`${RED}red${RESET}\n`], false), "␛[31mred␛[0m\n");
  });

  test("is the same however it is cut into pieces", () => {
    const text = `${RED}ż🐢\r\n\rover \u001b[1;2mbold${RESET}\u001b]0;x\u0007\n\u001b[31`;
    const bytes = Buffer.from(text);
    const whole = shown([text]);
    for (let size = 1; size <= 7; size += 1) {
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      assert.equal(shown(pieces), whole, `pieces of ${size}`);
    }
  });

  test("takes time in proportion to its length, whatever is in it", () => {
    for (const unit of ["\u001b[", "\u001b[1;1;1;1;1;1;1;1", "\u001b", "\r", RED, "x"]) {
      const took = (length: number) => {
        const bytes = Buffer.from(unit.repeat(length / unit.length));
        const began = performance.now();
        shown([bytes]);
        return performance.now() - began;
      };
      took(1_000_000);
      const best = (length: number) => Math.min(took(length), took(length));
      const [one, ten] = [best(1_000_000), best(10_000_000)];
      assert.ok(ten < 2_000 + 40 * one, `${JSON.stringify(unit)}: ${one} ms for 1 MB, ${ten} ms for 10 MB`);
    }
  });
});
