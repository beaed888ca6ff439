/** Logins that wait to be approved, by the clock that measures. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Networks, sourceOf } from "../../../src/door/address.ts";
import { Devices } from "../../../src/server/people/devices.ts";
import { clocks } from "../../support/clocks.ts";

/** Lets nobody in: it does not come to that. */
const nobody = async () => assert.fail("nobody was approved");
const LIFETIME_MS = 10 * 60_000;

test("a login waits for as long however the clock is set, awake or asleep, and tells its times on the clock as it is", async (t) => {
  const { jump, suspend } = clocks(t);
  const devices = new Devices();
  for (const ms of [-86_400_000, 86_400_000]) {
    const { device, code, expires } = devices.ask("laptop", { name: "192.0.2.1", address: "192.0.2.1" });
    assert.ok(Math.abs(expires - Date.now() - LIFETIME_MS) < LIFETIME_MS / 2);
    assert.ok(Math.abs(devices.find(code).asked - Date.now()) < LIFETIME_MS / 2);
    jump(ms);
    assert.equal(await devices.fetch(device, nobody), "pending");
    suspend(LIFETIME_MS);
    assert.equal(await devices.fetch(device, nobody), undefined);
  }
});

test("whoever asks for very many logins leaves some to the others", () => {
  const devices = new Devices();
  const ask = (address: string) => devices.ask("laptop", sourceOf(address, undefined, new Networks([])));
  const flood = () => {
    for (let host = 1; host < 100; host += 1) ask(`2001:db8::${host}`);
  };
  assert.throws(flood, { code: "too-many", message: /; you have 48, and the rest is kept for others\.$/ });
  assert.ok(ask("192.0.2.1").code);
});
