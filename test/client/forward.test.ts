import assert from "node:assert/strict";
import { test } from "node:test";
import { startDesk } from "../support/desk.ts";
import { until } from "../support/until.ts";

/** Longer than the agent waits between two looks for idle sessions, in milliseconds. */
const A_MINUTE = 60_000;

test("a forward that the agent ends tells why, and leaves nothing behind there", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const desk = await startDesk({ limits: { idle: 1 } });
  t.after(() => desk.close());
  const client = desk.client();
  t.after(() => client.close());
  const forward = await client.forward("web", { ports: [80] });
  const [session] = desk.audit;
  assert.equal(session?.kind, "forward");
  t.mock.timers.tick(A_MINUTE);
  const error = await Promise.race([forward.ended, later()]);
  assert.ok(error instanceof Error && "code" in error, "it was never told");
  assert.equal(error.code, "idle");
  await until("no session any more", () => Object.keys(desk.sessions.counts()).length === 0);
});

function later(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 2_000));
}
