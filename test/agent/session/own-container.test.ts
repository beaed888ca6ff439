/** The container in which the agent itself runs is looked at and left alone, whoever asks, and however he names it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Grant, RIGHTS } from "../../../src/protocol/rights.ts";
import { ADMIN, startDesk } from "../../support/desk.ts";

const OWN = "0123456789abcdef".repeat(4);
const labels = { "com.docker.compose.project": "stack", "com.docker.compose.service": "agent" };
const NAMES = [OWN, OWN.slice(0, 12), "own", "stack/agent", "stack/agent/1"];
const LOOKING = ["list", "inspect", "metrics", "logs", "attach-ro"];
/** Everything but that one right. */
const OTHERS: Grant = { subject: "other", rights: RIGHTS.filter((right) => right !== "admin"), scopes: [] };

test("the agent's own container is not stopped, entered, copied or connected to, and says why", async () => {
  const desk = await startDesk({ containers: [{ id: OWN, name: "own", labels }, {}], own: OWN });
  for (const reference of NAMES)
    for (const right of RIGHTS) {
      const find = desk.containers.find(reference, { grant: ADMIN, right });
      if (LOOKING.includes(right)) assert.equal((await find).id, OWN);
      else
        await assert.rejects(find, {
          code: "own-container",
          message: /^The agent itself runs in "own".* on its host\.$/,
        });
    }
  const client = desk.client();
  await assert.rejects(client.exec("own", { command: ["sh"], tty: false, stdin: false }), { code: "own-container" });
  assert.deepEqual(desk.runtime.scripts, []);
  assert.equal((await desk.containers.find("web", { grant: ADMIN, right: "exec" })).name, "web");
  await client.close();
  await desk.close();
});

test("what it prints, and may let an administrator in, is for administrators", async () => {
  const desk = await startDesk({ containers: [{ id: OWN, name: "own" }], own: OWN });
  for (const right of ["logs", "attach-ro"] as const)
    await assert.rejects(desk.containers.find("own", { grant: OTHERS, right }), { code: "own-container" });
  const [view] = await desk.containers.listed(OTHERS);
  assert.deepEqual(view?.rights, ["list", "inspect", "metrics"]);
  await desk.close();
});

test("who lives in another container's network may be either of them: both are left alone", async () => {
  const sharing = { id: "f".repeat(64), name: "sharing", networkOf: OWN };
  const desk = await startDesk({ containers: [{ id: OWN, name: "own" }, sharing, {}], own: OWN });
  for (const name of ["own", "sharing"])
    await assert.rejects(desk.containers.find(name, { grant: ADMIN, right: "exec" }), { code: "own-container" });
  assert.equal((await desk.containers.find("web", { grant: ADMIN, right: "exec" })).name, "web");
  await desk.close();
});

test("nobody is told that he may do more with it, nor is it offered for that", async () => {
  const desk = await startDesk({ containers: [{ id: OWN, name: "own" }], own: OWN });
  const [view] = await desk.containers.listed(ADMIN);
  assert.deepEqual(view?.rights, LOOKING);
  assert.deepEqual(desk.containers.allowed({ grant: ADMIN, right: "exec" }), []);
  await desk.close();
});
