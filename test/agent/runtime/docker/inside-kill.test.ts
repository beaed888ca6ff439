/** Ending an exec from inside the container, as it is done where the host's processes cannot be seen. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createDockerRuntime } from "../../../../src/agent/runtime/docker/docker.ts";
import { parseEndpoint } from "../../../../src/agent/runtime/docker/endpoint.ts";
import { Engine } from "../../../../src/agent/runtime/docker/engine.ts";
import { killInside, MARKER_NAME } from "../../../../src/agent/runtime/docker/inside-kill.ts";
import type { Runtime } from "../../../../src/agent/runtime/runtime.ts";
import { Listener } from "../../../contract/rig.ts";
import { silent } from "../../../contract/silent.ts";
import { sharedEngine } from "../../../support/engine.ts";
import { until } from "../../../support/until.ts";

const { signal } = new AbortController();
const docker = await sharedEngine();
const engine = new Engine(parseEndpoint(docker.host));
const TREE = `trap '' HUP TERM; sh -c "trap '' HUP TERM; sleep 921 & sleep 922 & wait" & setsid sleep 923 & echo ready; wait`;
/** How the container's own process looks, which may stand anywhere in a list: pids begin anew. */
const OWN = "sleep 1000000";
let stateDir: string;
let runtime: Runtime;

before(async () => {
  stateDir = await mkdtemp(join(tmpdir(), "fl-inside-"));
  runtime = createDockerRuntime({ host: docker.host, stateDir, log: silent });
});

after(async () => {
  await runtime.close();
  engine.close();
  await rm(stateDir, { recursive: true });
});

/** A container in which a marked tree runs beside an unmarked process. */
async function withTree(image: string, work: (tree: Tree) => Promise<void>): Promise<void> {
  const marker = crypto.randomUUID();
  const containerId = await docker.run(`inside-${marker.slice(0, 8)}`, { image });
  const others = async () => {
    const [, ...rows] = (await docker.docker("top", containerId, "-o", "pid,args")).split("\n");
    return rows.filter((row) => !row.endsWith(OWN));
  };
  try {
    await work({ marker, containerId, others });
  } finally {
    await docker.docker("rm", "--force", containerId);
  }
}

interface Tree {
  marker: string;
  containerId: string;
  others: () => Promise<string[]>;
}

const record = ({ marker, containerId }: Tree, user = "0") => ({ execId: "e".repeat(64), containerId, marker, user });
const ALL: NodeJS.Signals[] = ["SIGHUP", "SIGTERM", "SIGKILL"];
/** Milliseconds in which a tree is gone; what is done takes two or three seconds, and more on a busy machine. */
const LIMIT_MS = 15_000;

for (const helperImage of [undefined, "busybox"]) {
  const how = helperImage ? "a helper container" : "the container's own shell";
  for (const user of ["0", "65534"]) {
    test(`a stubborn tree of user ${user} is ended through ${how} in time, and nobody else`, () =>
      withTree("busybox", async (tree) => {
        const spec = { tty: false, stdin: true, user };
        const marked = await runtime.exec(
          tree.containerId,
          { ...spec, command: ["sh", "-c", TREE], env: [`${MARKER_NAME}=${tree.marker}`] },
          signal,
        );
        await new Listener(marked.output).heard(/ready/);
        await runtime.exec(tree.containerId, { ...spec, command: ["sleep", "924"] }, signal);
        await until("the processes", async () => (await tree.others()).length === 6);
        const started = performance.now();
        const options = { signal, signals: ALL, ...(helperImage ? { helperImage } : {}) };
        assert.equal(await killInside(engine, record(tree, user), options), true);
        assert.ok(performance.now() - started < LIMIT_MS);
        assert.match((await tree.others()).join(), /^[^,]*sleep 924$/);
      }));
  }
}

test("a helper container reaches processes in an image without a shell, and leaves nothing behind itself", () =>
  withTree("noshell", async (tree) => {
    const command = ["/busybox", "sleep", "925"];
    const env = [`${MARKER_NAME}=${tree.marker}`];
    await runtime.exec(tree.containerId, { command, env, tty: false, stdin: true }, signal);
    const options = { signal, signals: ALL, helperImage: "busybox" };
    assert.equal(await killInside(engine, record(tree), options), true);
    assert.deepEqual(await tree.others(), []);
    assert.equal(await docker.docker("ps", "--all", "--quiet", "--filter", "label=fairlead.helper"), "");
  }));

test("where there is no way, it says so instead of claiming success", () =>
  withTree("noshell", async (tree) => {
    await assert.rejects(killInside(engine, record(tree), { signal, signals: ALL }), {
      code: "unsupported",
      message: /helper_image/,
    });
  }));

test("nothing has to be ended in a container that has stopped or is gone", () =>
  withTree("busybox", async (tree) => {
    await docker.docker("stop", tree.containerId);
    assert.equal(await killInside(engine, record(tree), { signal, signals: ALL }), true);
    const gone = { ...record(tree), containerId: "0".repeat(64) };
    assert.equal(await killInside(engine, gone, { signal, signals: ALL }), true);
  }));

test("an agent that sees none of the engine's processes, as in a container of its own, ends its execs all the same", () =>
  withTree("busybox", async (tree) => {
    const program = fileURLToPath(new URL("hidden-agent.ts", import.meta.url));
    const hidden = ["--pid", "--fork", "--propagation", "unchanged", "--mount-proc", process.execPath, program];
    const own = join(stateDir, "hidden");
    const agent = spawn("unshare", [...hidden, docker.host, own, tree.containerId, TREE], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    await once(agent.stdout, "data");
    await until("the tree", async () => (await tree.others()).length === 5);
    agent.stdin.end();
    const [status] = await once(agent.stdout, "data");
    // The shell may see its killed children before its own KILL, and end by itself.
    assert.match(String(status), /^\{"code":(0|137)\}\n$/);
    assert.deepEqual(await tree.others(), []);
    assert.deepEqual(await readdir(join(own, "execs")), []);
  }));
