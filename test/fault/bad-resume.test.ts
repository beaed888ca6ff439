/** Sessions that are resumed by whoever may not, or from where it cannot be: refused, and whoever may goes on. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { suite, test } from "node:test";
import { open, resume } from "./raw.ts";
import { refusal, refused } from "./refusal.ts";
import { Scene } from "./scene.ts";
import { carries } from "./stage.ts";

const WEB = "fault-resumed-web";
const cat = { command: ["cat"], tty: false, stdin: true };
/** May do everything but is somebody else. */
const OTHER = randomBytes(24).toString("base64url");
const GRANTS = [{ name: "other", token_sha256: createHash("sha256").update(OTHER).digest("hex"), rights: ["admin"] }];

const scene = Scene.forThisFile({
  neighbour: "fault-resumed-neighbour",
  containers: { [WEB]: {} },
  flags: ["--grants", JSON.stringify(GRANTS)],
});

suite("a resume", () => {
  /** A kept session whose connection went, and what it takes to resume it. */
  async function left() {
    const session = await open(scene.agent, { op: "exec", container: WEB, onDrop: "keep" }, cat);
    session.cut();
    const { session: id, secret } = session.opened;
    return { session: id, secret, epoch: 2, received: 0 };
  }

  /** Whatever was refused before: who knows everything goes on with it, and ends it. */
  async function goesOn(known: Awaited<ReturnType<typeof left>>, epoch = 2): Promise<void> {
    const again = await resume(scene.agent, { ...known, epoch });
    assert.equal(again.opened.epoch, epoch);
    again.close();
  }

  test("of an unknown session and one with a wrong secret are told apart by nobody", async () => {
    const known = await left();
    const secret = randomBytes(24).toString("base64url");
    const unknown = await refusal(resume(scene.agent, { ...known, session: "0".repeat(24) }));
    const wrong = await refusal(resume(scene.agent, { ...known, secret }));
    assert.deepEqual(unknown, wrong);
    assert.equal(wrong.code, "session-gone");
    await goesOn(known);
  });

  test("of somebody else's session is refused like an unknown one, whatever he knows", async () => {
    const known = await left();
    const stolen = await refusal(resume({ ...scene.agent, token: OTHER }, known));
    assert.deepEqual(stolen, await refusal(resume(scene.agent, { ...known, session: "0".repeat(24) })));
    await goesOn(known);
  });

  test("of an epoch that has passed is refused, also the present one", async () => {
    const known = await left();
    const newest = await resume(scene.agent, { ...known, epoch: 7 });
    for (const epoch of [1, 2, 6, 7]) await refused(resume(scene.agent, { ...known, epoch }), "stale-epoch", /resumed/);
    newest.cut();
    await goesOn(known, 8);
  });

  test("from an offset that was never reached, or lies in a packet, is refused", async () => {
    const known = await left();
    for (const received of [1, 1_000_000, Number.MAX_SAFE_INTEGER])
      await refused(resume(scene.agent, { ...known, received }), "protocol-error", /cannot continue from offset/);
    await goesOn(known);
  });

  test("with an impossible epoch, offset or secret is refused", async () => {
    const known = await left();
    await refused(resume(scene.agent, { ...known, epoch: 0 }), "bad-request", /epoch/);
    await refused(resume(scene.agent, { ...known, epoch: 1.5 }), "bad-request", /epoch/);
    await refused(resume(scene.agent, { ...known, received: -1 }), "bad-request", /received/);
    await refused(resume(scene.agent, { ...known, secret: "short" }), "bad-request", /secret/);
    await goesOn(known);
  });

  test("takes the session away from a connection that still seems alive, which is told", async () => {
    const first = await open(scene.agent, { op: "exec", container: WEB, onDrop: "keep" }, cat);
    const { session, secret } = first.opened;
    const second = await resume(scene.agent, { session, secret, epoch: 2, received: 0 });
    const { code, reason } = await first.closed;
    assert.deepEqual([code, reason], [1000, "resumed on another connection"]);
    second.close();
  });

  test("of a session that was closed is refused", async () => {
    const session = await open(scene.agent, { op: "exec", container: WEB, onDrop: "keep" }, cat);
    session.close();
    await carries(scene.agent, 1);
    const { session: id, secret } = session.opened;
    await refused(resume(scene.agent, { session: id, secret, epoch: 2, received: 0 }), "session-gone", /has ended/);
  });
});
