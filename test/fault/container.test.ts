/** Takes the container away under a session of every kind: each ends with the truth, and a neighbour's goes on. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { closeAll, type Kind, type Live, MAIN, openAll } from "./kinds.ts";
import { Scene } from "./scene.ts";

/**
 * What may be said: a process that ended with its container was killed, or the engine has forgotten it already; a log has
 * simply ended, a connection was closed.
 */
const KILLED: Record<Kind, RegExp> = {
  exec: /^(exit 137|unknown)$/,
  terminal: /^(exit 137|unknown)$/,
  attach: /^exit 137$/,
  logs: /^exit 0$/,
  connection: /^exit 0$/,
};
/** Nobody knows any more how they ended. */
const REMOVED: Record<Kind, RegExp> = { ...KILLED, attach: /^(exit 137|unknown)$/ };

const scene = Scene.forThisFile({ neighbour: "fault-container-neighbour" });

suite("a container that was", () => {
  const fates: [string, string[], Record<Kind, RegExp>][] = [
    ["killed", ["kill"], KILLED],
    ["stopped", ["stop"], KILLED],
    ["removed", ["rm", "--force"], REMOVED],
  ];
  for (const [fate, command, expected] of fates)
    test(`${fate} ends the sessions of every kind with the truth`, async () => {
      const container = `fault-container-${fate}`;
      await scene.engine.run(container, { command: MAIN });
      const all = await openAll(scene.client, container);
      await scene.neighbour.pulse();
      await scene.engine.docker(...command, container);
      for (const live of all) assert.match(await live.ending(), expected[live.kind], live.kind);
      await scene.neighbour.pulse();
      await refusesConnections(all);
      await scene.engine.docker("rm", "--force", container);
    });

  test("restarted is reached again by the forward that was opened before", async () => {
    const container = "fault-container-restarted";
    await scene.engine.run(container, { command: MAIN });
    const all = await openAll(scene.client, container);
    await scene.engine.docker("restart", container);
    for (const live of all) assert.match(await live.ending(), KILLED[live.kind], live.kind);
    const again = await openAll(scene.client, container);
    const forward = all.find(({ kind }) => kind === "connection")?.forward;
    const session = await forward?.dial(7000);
    await session?.opened;
    await session?.close();
    await forward?.close();
    await closeAll(again);
    await scene.neighbour.pulse();
    await scene.engine.docker("rm", "--force", container);
  });
});

/** The forward outlives its container, and says so at each dial. */
async function refusesConnections(all: Live[]): Promise<void> {
  const forward = all.find(({ kind }) => kind === "connection")?.forward;
  assert.ok(forward);
  const session = await forward.dial(7000);
  await assert.rejects(session.opened, { name: "FairleadError" });
  await forward.close();
}
