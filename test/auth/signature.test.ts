import assert from "node:assert/strict";
import { test } from "node:test";
import { newKey } from "../../src/auth/keys.ts";
import { Signatures, signatureHeaders } from "../../src/auth/signature.ts";

const SECOND = 1_000;
const MESSAGE = { method: "POST", target: "/api/v1/agent/heartbeat" };

/** A checker with a clock that is moved by hand, and a host whose own clock is so many milliseconds ahead. */
function scene() {
  const key = newKey();
  const clock = { now: 1_700_000_000_000 };
  const signatures = new Signatures(() => clock.now);
  const sign = (ahead = 0) => signatureHeaders(MESSAGE, { keyName: "box/uid/key", key, epoch: 1 }, clock.now + ahead);
  const verify = (headers: Record<string, string>) => signatures.verify(MESSAGE, headers, key.publicKey);
  return { clock, sign, verify };
}

test("a request is accepted once, for as long as its time would let it in", () => {
  const { clock, sign, verify } = scene();
  const asked = sign(60 * SECOND);
  verify(asked);
  for (let seconds = 0; seconds < 120; seconds += 10) {
    assert.throws(() => verify(asked), { code: "replayed" });
    verify(sign());
    clock.now += 10 * SECOND;
  }
  assert.throws(() => verify(asked), { code: "replayed" });
  clock.now += SECOND;
  assert.throws(() => verify(asked), { code: "clock-skew" });
});

test("a request that is signed for something else, or with another key, is not accepted", () => {
  const { sign, verify } = scene();
  const asked = sign();
  assert.throws(() => verify({ ...asked, "fairlead-epoch": "2" }), { code: "unauthenticated" });
  assert.throws(() => scene().verify(asked), { code: "unauthenticated" });
  verify(asked);
});
