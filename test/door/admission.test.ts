import assert from "node:assert/strict";
import { Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { Admission } from "../../src/door/admission.ts";

const PACE = { rate: 100, waiting: 30 };

/** A clock that is moved by hand, with timers that go by it. */
function scene(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const admission = new Admission(PACE, () => now);
  const taken: number[] = [];
  const enter = (id: number) => {
    const socket = new Socket();
    admission.enter(socket, () => taken.push(id));
    return socket;
  };
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 10) {
      now += 10;
      t.mock.timers.tick(10);
    }
  };
  return { enter, pass, taken };
}

test("who comes alone is taken at once", (t) => {
  const { enter, pass, taken } = scene(t);
  for (const id of [1, 2, 3]) {
    enter(id);
    assert.equal(taken.at(-1), id);
    pass(50);
  }
});

test("a crowd is taken in its order and no faster than the pace, and whoever finds too many waiting is cut", (t) => {
  const { enter, pass, taken } = scene(t);
  const sockets = Array.from({ length: 60 }, (_, id) => enter(id));
  assert.equal(taken.length, 10);
  assert.equal(sockets.filter(({ destroyed }) => destroyed).length, 20);
  pass(100);
  assert.ok(taken.length <= 20, `${taken.length} after 0.1 s`);
  pass(300);
  assert.deepEqual(
    taken,
    Array.from({ length: 40 }, (_, id) => id),
  );
});

test("whoever has gone away meanwhile takes nobody's turn", (t) => {
  const { enter, pass, taken } = scene(t);
  for (let id = 0; id < 10; id++) enter(id);
  for (let id = 10; id < 20; id++) enter(id).destroy();
  enter(20);
  pass(20);
  assert.equal(taken.at(-1), 20);
});
