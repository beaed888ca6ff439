/** How the agent finds out that it runs in a container, and in which. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ownContainer } from "../../../../src/agent/runtime/docker/own-image.ts";

const ID = "0123456789abcdef".repeat(4);

test("a container is known by the files that its engine mounts into it", () => {
  const docker = `742 728 259:1 /var/lib/docker/containers/${ID}/resolv.conf /etc/resolv.conf rw - ext4 /dev/root rw\n`;
  const podman = `743 728 0:25 /containers/overlay-containers/${ID}/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw\n`;
  assert.equal(ownContainer(docker), ID);
  assert.equal(ownContainer(podman), ID);
});

test("a host that only has containers is not taken for one", () => {
  const beside = `90 25 0:49 / /var/lib/docker/containers/${ID}/mounts/shm rw - tmpfs shm rw\n`;
  assert.equal(ownContainer(beside), undefined);
  assert.equal(ownContainer(""), undefined);
});
