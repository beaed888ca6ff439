/** The container in which the agent itself runs is looked at and left alone, whoever asks, and however he names it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { RIGHTS } from "../../../src/protocol/rights.ts";
import { ADMIN, startDesk } from "../../support/desk.ts";

const OWN = "0123456789abcdef".repeat(4);
const labels = { "com.docker.compose.project": "stack", "com.docker.compose.service": "agent" };
const NAMES = [OWN, OWN.slice(0, 12), "own", "stack/agent", "stack/agent/1"];
const LOOKING = ["list", "inspect", "metrics", "logs", "attach-ro"];

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

test("nobody is told that he may do more with it, nor is it offered for that", async () => {
  const desk = await startDesk({ containers: [{ id: OWN, name: "own" }], own: OWN });
  const [view] = await desk.containers.listed(ADMIN);
  assert.deepEqual(view?.rights, LOOKING);
  assert.deepEqual(desk.containers.allowed({ grant: ADMIN, right: "exec" }), []);
  await desk.close();
});
