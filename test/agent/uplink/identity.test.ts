/** What a host takes itself for, on a real disk that is full meanwhile: what it could not write down has not happened. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { Identity } from "../../../src/agent/uplink/identity.ts";
import { StateDirectory } from "../../../src/boot/state.ts";
import { NODE_SETTINGS } from "../../support/node-settings.ts";
import { fill, makeRoom, mountDisk, unmount } from "../../fault/small-disk.ts";

const REPLY = { name: "box", uid: "u1", epoch: 1, grantKey: "g1", settings: NODE_SETTINGS };
const PIN = `sha256:${"1".repeat(64)}`;
const OTHER_PIN = `sha256:${"2".repeat(64)}`;

suite("with a full disk a host", () => {
  let disk: string;
  let identity: Identity;
  beforeEach(async () => {
    disk = await mountDisk();
    identity = await open();
    await identity.trying(PIN, async () => REPLY);
  });
  afterEach(() => unmount(disk));

  const open = async () => Identity.open(await StateDirectory.open(join(disk, "state")));

  test("still means the key that its server knows already, and takes it once there is room", async () => {
    const { key } = identity;
    const next = await identity.nextKey();
    await fill(disk);
    await assert.rejects(identity.changeKey(next), /the disk is full/);
    assert.equal(identity.key.id, key.id);
    await makeRoom(disk);
    assert.equal(await identity.isWritable(), true);
    assert.equal((await identity.nextKey()).id, next.id);
    await identity.changeKey(next);
    assert.deepEqual([identity.key.id, (await open()).key.id], [next.id, next.id]);
    assert.notEqual((await identity.nextKey()).id, next.id);
  });

  test("belongs to the server that it belonged to", async () => {
    await fill(disk);
    const other = { ...REPLY, uid: "u2", epoch: 7 };
    await assert.rejects(
      identity.trying(OTHER_PIN, async () => other),
      /the disk is full/,
    );
    await makeRoom(disk);
    assert.equal(await identity.isWritable(), true);
    for (const { pin, registered } of [identity, await open()])
      assert.deepEqual([pin, registered?.uid, registered?.epoch], [PIN, "u1", 1]);
    await identity.trying(undefined, async () => other);
    for (const { pin, registered } of [identity, await open()])
      assert.deepEqual([pin, registered?.uid, registered?.epoch], [undefined, "u2", 7]);
  });
});
