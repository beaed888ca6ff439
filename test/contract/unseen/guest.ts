/** What is promised of the helper containers through which a port is reached where nothing else leads there. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { createDockerRuntime } from "../../../src/agent/runtime/docker/docker.ts";
import { parseEndpoint } from "../../../src/agent/runtime/docker/endpoint.ts";
import { Engine } from "../../../src/agent/runtime/docker/engine.ts";
import { startGuest } from "../../../src/agent/runtime/docker/guest/container.ts";
import { Guest } from "../../../src/agent/runtime/docker/guest/guest.ts";
import { guestName } from "../../../src/agent/runtime/docker/guest/notes.ts";
import { Budget } from "../../../src/mux/budget.ts";
import { GUEST_IMAGE as IMAGE } from "../../support/guest-image.ts";
import { until } from "../../support/until.ts";
import type { Rig } from "../rig.ts";
import { silent } from "../silent.ts";

const AGENT = fileURLToPath(new URL("agent.ts", import.meta.url));
const PORT = 8000;
/** On its loopback only; waits for a request for as long as the caller likes. */
const SERVICE = { command: ["httpd", "-f", "-p", `127.0.0.1:${PORT}`] };

export function guestContract(rig: Rig): void {
  const { signal } = rig;
  const helpers = async () =>
    (await rig.engine.docker("ps", "--all", "--quiet", "--no-trunc", "--filter", "label=fairlead.helper"))
      .split("\n")
      .filter(Boolean);
  /** The one in this container's network. */
  const helperOf = async (id: string) => {
    for (const helper of await helpers()) {
      const mode = await rig.engine
        .docker("inspect", "--format", "{{.HostConfig.NetworkMode}}", helper)
        .catch(() => "");
      if (mode === `container:${id}`) return helper;
    }
    return undefined;
  };
  const noHelper = (id: string) => until("the helper being gone", async () => !(await helperOf(id)));
  /** The service may be a moment late. */
  const connect = (id: string, runtime = rig.runtime) =>
    until("a connection", () => runtime.dial(id, PORT, signal).catch(() => undefined));

  rig.verb("helper", "carries many connections, has no right, and is neither listed nor heard of", async () => {
    const id = await rig.container(SERVICE);
    const stop = new AbortController();
    const events = await rig.runtime.events(String(Math.floor(Date.now() / 1000)), stop.signal);
    const all = await Promise.all([connect(id), connect(id), connect(id)]);
    const helper = await helperOf(id);
    assert.ok(helper);
    const {
      Config: config,
      HostConfig: host,
      Mounts: mounts,
    } = JSON.parse(await rig.engine.docker("inspect", "--format", "{{json .}}", helper)) as {
      Config: { User: string };
      HostConfig: Record<string, unknown>;
      Mounts: unknown[];
    };
    assert.equal(config.User, "10001:10001");
    assert.deepEqual(host["CapDrop"], ["ALL"]);
    assert.deepEqual(host["SecurityOpt"], ["no-new-privileges"]);
    assert.deepEqual([host["ReadonlyRootfs"], host["AutoRemove"], mounts], [true, true, []]);
    assert.deepEqual(host["LogConfig"], { Type: "none", Config: {} });
    assert.ok(Number(host["Memory"]) > 0 && Number(host["PidsLimit"]) > 0);
    const listed = (await rig.runtime.list(signal)).map((container) => container.id);
    assert.ok(listed.includes(id) && !listed.includes(helper));
    const last = await rig.container({ command: ["true"] });
    for await (const { container } of events) {
      assert.notEqual(container.id, helper);
      if (container.id === last) break;
    }
    stop.abort();
    await Promise.all(all.map(answered));
  });

  rig.verb("helper", "that is killed ends its connections with an error, and the next dial has another", async () => {
    const id = await rig.container(SERVICE);
    const connection = await connect(id);
    await rig.engine.docker("kill", (await helperOf(id)) ?? "");
    await assert.rejects(ended(connection), { code: "ECONNRESET" });
    await answered(await connect(id));
  });

  rig.verb("helper", "ends with its container, and so do its connections", async () => {
    const id = await rig.container(SERVICE);
    const connection = await connect(id);
    await rig.engine.docker("stop", id);
    await ended(connection).catch(() => {});
    await noHelper(id);
    await rig.engine.docker("start", id);
    await answered(await connect(id));
  });

  rig.verb("helper", "ends with the agent, also when that is killed", async () => {
    const id = await rig.container(SERVICE);
    const { runtime, stateDir } = await rig.another();
    const connection = await connect(id, runtime);
    await runtime.close();
    await assert.rejects(ended(connection));
    await noHelper(id);
    assert.deepEqual(await readdir(join(stateDir, "guests")), []);
    const words = [rig.engine.host, join(stateDir, "killed"), IMAGE, id, String(PORT)];
    const agent = spawn(process.execPath, [AGENT, ...words], { stdio: ["ignore", "pipe", "inherit"] });
    await once(agent.stdout, "data");
    assert.ok(await helperOf(id));
    agent.kill("SIGKILL");
    await noHelper(id);
  });

  rig.verb("helper", "that was left is removed at the next start if this agent made it", async () => {
    const { runtime, stateDir } = await rig.another();
    const [ours, stranger, plain] = [guestName(), guestName(), guestName()];
    const make = (name: string, ...args: string[]) =>
      rig.engine.docker("create", "--name", name, ...args, "busybox", "true");
    await make(ours, "--label", "fairlead.helper=dial");
    await make(stranger, "--label", "fairlead.helper=dial");
    await make(plain);
    await mkdir(join(stateDir, "guests"));
    for (const name of [ours, plain]) await writeFile(join(stateDir, "guests", name), "");
    await runtime.recover(signal);
    const left = await rig.engine.docker("ps", "--all", "--format", "{{.Names}}");
    assert.deepEqual(
      [ours, stranger, plain].map((name) => left.includes(name)),
      [false, true, true],
    );
    assert.deepEqual(await readdir(join(stateDir, "guests")), []);
    await rig.engine.docker("rm", stranger, plain);
  });

  rig.verb("helper", "ends when nobody has been connected for a while", async () => {
    const engine = new Engine(parseEndpoint(rig.engine.host));
    const plan = { name: guestName(), image: IMAGE, target: await rig.container(SERVICE) };
    const start = (stop: AbortSignal) => startGuest(engine, plan, stop);
    const guest = new Guest({ start, budget: new Budget(0), idle: 100 });
    const connection = await guest.dial(PORT, { timeout: 5_000, signal });
    const begun = performance.now();
    await until("more time than it may be idle", () => performance.now() - begun > 300);
    await answered(connection);
    await guest.over;
    await noHelper(plan.target);
    engine.close();
  });

  rig.verb("helper", "has words for an image that is missing, is none of ours, or is not named", async () => {
    const id = await rig.container(SERVICE);
    const { stateDir } = await rig.another();
    const cases: [string | undefined, RegExp][] = [
      ["nowhere:1", /of the image nowhere:1\. The engine has no such image; helper_image has to name one/],
      ["busybox", /of the image busybox\. That image does not hold Fairlead's program; helper_image has to name/],
      [undefined, /only be entered by a helper container, for which helper_image has to name Fairlead's image/],
    ];
    for (const [helperImage, message] of cases) {
      const options = { host: rig.engine.host, stateDir, log: silent, ...(helperImage ? { helperImage } : {}) };
      const runtime = createDockerRuntime(options);
      await assert.rejects(runtime.dial(id, PORT, signal), { message });
      await runtime.close();
    }
    await noHelper(id);
  });
}

async function answered(connection: Duplex): Promise<void> {
  connection.write("GET / HTTP/1.0\r\n\r\n");
  const [answer] = (await once(connection, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP/);
  connection.destroy();
}

/** Rejects when it broke. */
async function ended(connection: Duplex): Promise<void> {
  for await (const _ of connection);
}
