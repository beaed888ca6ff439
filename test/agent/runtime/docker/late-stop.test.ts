/** News of a container's stop that come after it has begun again. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Dialler } from "../../../../src/agent/runtime/docker/dial.ts";
import { HelperImage } from "../../../../src/agent/runtime/docker/own-image.ts";
import { command } from "../../../support/docker-client.ts";
import { sharedEngine } from "../../../support/engine.ts";
import { until } from "../../../support/until.ts";
import { json, says, withFakeEngine } from "./fake-engine.ts";

const NAME = "late-stop";
const PORT = 7_000;
const HELPER = new URL("../../../../src/agent/runtime/docker/dial-helper.ts", import.meta.url);
/** On its loopback only: a helper in its network has to dial. */
const SERVE = ["httpd", "-f", "-p", `127.0.0.1:${PORT}`, "-h", "/etc"];
const log = { debug() {}, warn() {} };

test("do not end the helper that dials in the network of a container that runs", async (t) => {
  const engine = await sharedEngine();
  await engine.run(NAME, { command: SERVE });
  const stateDir = await mkdtemp(join(tmpdir(), "fl-late-"));
  t.after(async () => {
    await rm(stateDir, { recursive: true });
    await engine.docker("rm", "--force", NAME);
  });
  const inspected = await engine.docker("inspect", "--format", "{{json .}}", NAME);
  const { Id: id } = JSON.parse(inspected) as { Id: string };
  let events: Socket | undefined;
  const answers = {
    to: (request: string) => {
      if (request.includes("/events"))
        return (socket: Socket) => void (events = socket).write("HTTP/1.1 200 OK\r\n\r\n");
      return says(json(request.includes(id) ? inspected : "{}"));
    },
  };
  await withFakeEngine(answers, async (fake) => {
    const dialler = new Dialler(fake, { stateDir, log, helper: HELPER, helperImage: new HelperImage(fake) });
    t.after(() => dialler.close());
    const dialled = dialler.dial({ id, port: PORT }, AbortSignal.timeout(20_000));
    dialled.catch(() => undefined);
    await until("the helper to begin", hasHelper, { every: 1 });
    const died = { Type: "container", Action: "die", Actor: { ID: id } };
    (await until("the events", () => events)).write(`${JSON.stringify(died)}\n`);
    const socket = await dialled;
    socket.write("GET /passwd HTTP/1.0\r\n\r\n");
    const [said] = (await once(socket, "data")) as [Buffer];
    assert.match(said.toString(), /^HTTP\/1\.\d 200 /);
    socket.destroy();
  });
});

async function hasHelper(): Promise<boolean> {
  const all = (await command("ps", ["-e", "-o", "ppid=,args="])).split("\n").map((line) => line.trim());
  return all.some((line) => line.startsWith(`${process.pid} `) && line.includes("dial-helper"));
}
