import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { LogPosition } from "../../../src/agent/session/log-cursor.ts";
import { toSince } from "../../../src/lib/stamp.ts";
import type { LogEntry, StreamName } from "../../../src/agent/runtime/runtime.ts";

const FIRST = "2026-01-02T03:04:05.000000001Z";
const SECOND = "2026-01-02T03:04:05.000000002Z";
const THIRD = "2026-01-02T03:04:06Z";

suite("a position in a log", () => {
  test("survives a reading that broke off before its first entry", () => {
    const position = at([FIRST], [SECOND]);
    position.restart();
    assert.equal(position.restart(), toSince(SECOND));
    assert.deepEqual(read(position, [FIRST], [SECOND], [THIRD]), [false, false, true]);
  });

  test("does not go back with a reading that broke off among entries it had already", () => {
    const position = at([SECOND], [SECOND], [SECOND]);
    position.restart();
    assert.deepEqual(read(position, [SECOND], [SECOND]), [false, false]);
    assert.equal(position.cursor.stdout?.ordinal, 3);
    position.restart();
    assert.deepEqual(read(position, [SECOND], [SECOND], [SECOND], [SECOND]), [false, false, false, true]);
  });

  test("starts again where the stream that is behind is, and skips what the other had", () => {
    const position = at([FIRST, "stderr"], [THIRD, "stdout"]);
    assert.equal(position.restart(), toSince(FIRST));
    assert.deepEqual(read(position, [FIRST, "stderr"], [SECOND, "stdout"], [SECOND, "stderr"]), [false, false, true]);
    assert.deepEqual(position.cursor.stdout, { time: THIRD, ordinal: 1 });
    assert.deepEqual(position.cursor.stderr, { time: SECOND, ordinal: 1 });
  });

  test("follows a clock that was set back, as long as nothing is read twice", () => {
    const position = at([SECOND], [FIRST], [SECOND]);
    assert.deepEqual(position.cursor.stdout, { time: SECOND, ordinal: 1 });
    assert.deepEqual(read(position, [FIRST], [FIRST]), [true, true]);
    position.restart();
    assert.deepEqual(read(position, [FIRST], [FIRST], [FIRST], [SECOND]), [false, false, true, true]);
  });

  test("tells once what is missing where its last entry is not in the log any more", () => {
    const position = at([FIRST, "stderr"], [SECOND]);
    position.restart();
    read(position, [FIRST, "stderr"], [THIRD]);
    assert.deepEqual(position.takeGap(), { from: SECOND, to: THIRD });
    assert.equal(position.takeGap(), undefined);
    position.restart();
    read(position, [THIRD]);
    assert.equal(position.takeGap(), undefined);
  });

  test("misses nothing as long as its last entry is there, nor in the log of another container", () => {
    const after = at([FIRST, "stderr"], [SECOND]).cursor;
    for (const [container, left, gap] of [
      ["web", [[SECOND]], undefined],
      ["web", [[FIRST, "stderr"]], { from: SECOND, to: THIRD }],
      ["another", [], undefined],
    ] satisfies [string, Line[], unknown][]) {
      const position = new LogPosition(container, after);
      position.restart();
      read(position, ...left, [THIRD]);
      assert.deepEqual(position.takeGap(), gap);
    }
  });

  test("is certain once a time has been read from its first entry on", () => {
    const position = new LogPosition("web");
    assert.equal(position.place, undefined);
    read(position, [FIRST]);
    assert.equal(position.place, undefined);
    read(position, [SECOND], [SECOND]);
    assert.deepEqual(position.place, { stream: "stdout", time: SECOND, ordinal: 2 });
    position.restart();
    read(position, [SECOND]);
    assert.equal(position.place, undefined);
    read(position, [SECOND]);
    assert.deepEqual(position.place, { stream: "stdout", time: SECOND, ordinal: 2 });
  });
});

type Line = [time: string, stream?: StreamName];

function at(...lines: Line[]): LogPosition {
  const position = new LogPosition("web");
  position.restart();
  read(position, ...lines);
  return position;
}

/** Which of the entries are new. */
function read(position: LogPosition, ...lines: Line[]): boolean[] {
  return lines.map(([time, stream = "stdout"]) => position.advance(entry(stream, time)));
}

function entry(stream: StreamName, time: string): LogEntry {
  return { stream, time, bytes: Buffer.from("line\n") };
}
