/** Which containers are dialled, by what an engine says of their network. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Locator } from "../../../../src/agent/runtime/docker/locator.ts";
import { type Answers, hangsAfter, json, says, withFakeEngine } from "./fake-engine.ts";

const ID = "a".repeat(64);
const OTHER = "b".repeat(64);
const ADDRESS = "10.250.0.9";
const PATIENCE_MS = 10_000;

/** An engine whose containers have these networks, by id. */
function engineOf(modes: Record<string, string>): Answers {
  return {
    to: (request) => {
      if (/\/events\?/.test(request)) return hangsAfter("");
      const [, id = ""] = /\/containers\/([0-9a-f]+)\/json/.exec(request) ?? [];
      return says(json(id === "" ? "{}" : JSON.stringify(inspected(modes[id] ?? ""))));
    },
  };
}

/** Nobody here sees its first process. */
function inspected(NetworkMode: string) {
  return {
    Name: "/web",
    State: { Running: true, Pid: 0 },
    HostConfig: { NetworkMode },
    NetworkSettings: { Networks: { bridge: { IPAddress: ADDRESS } } },
  };
}

/** Where the container with this network is found. */
async function addresses(mode: string, other = "bridge"): Promise<readonly string[]> {
  let found: readonly string[] = [];
  await withFakeEngine(
    engineOf({ [ID]: mode, [OTHER]: other }),
    async (engine) => {
      const locator = new Locator(engine, { log: { debug() {}, warn() {} }, stopped: () => {} });
      try {
        found = (await locator.locate(ID, AbortSignal.timeout(PATIENCE_MS))).addresses;
      } finally {
        await locator.close();
      }
    },
    PATIENCE_MS,
  );
  return found;
}

test("a container is dialled in its own network, and in that of another container", async () => {
  for (const mode of ["bridge", "default", "my_net", `container:${OTHER}`])
    assert.deepEqual(await addresses(mode), [ADDRESS], mode);
});

test("a container is not dialled whose network is the host's, or may be", async () => {
  for (const mode of ["host", "ns:/run/netns/x", "container:", "container:web", `container:${OTHER.slice(0, 12)}`])
    await assert.rejects(addresses(mode), { code: "unsupported" }, mode);
  for (const other of ["host", "container:web"])
    await assert.rejects(addresses(`container:${OTHER}`, other), { code: "unsupported" }, other);
});
