/** Kills clients and agents with -9 and looks into the container: what they started there must not outlive them. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { SessionOptions } from "../../src/client/client.ts";
import type { ExecBody } from "../../src/protocol/open.ts";
import { startCtl } from "../ctl/ctl.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import type { Opened, Order } from "./client-process.ts";
import { Neighbour } from "./neighbour.ts";
import { resume } from "./raw.ts";
import { carries } from "./stage.ts";

/** Milliseconds: 5 s are granted, and the looks of a busy machine take more. What is kept by mistake stays for a minute. */
const GONE_WITHIN_MS = 15_000;
const NEIGHBOUR = "fault-kill-neighbour";
const WITH_SHELL = "fault-kill-shell";
const WITHOUT_SHELL = "fault-kill-noshell";
const CONTAINERS = [NEIGHBOUR, WITH_SHELL, WITHOUT_SHELL];
/** Where a shell can be run from in each image; the agent finds none on the PATH of the second. */
const BUSYBOX: Record<string, string[]> = { [WITH_SHELL]: ["busybox"], [WITHOUT_SHELL]: ["/busybox"] };
const CLIENT = fileURLToPath(new URL("client-process.ts", import.meta.url));

/** Processes that ignore HUP and TERM, one of them in a session of its own. */
const TREE = `
  trap '' HUP TERM INT; bb=$0
  $bb sleep 1000 & $bb setsid $bb sleep 1001 &
  $bb sh -c "trap '' HUP TERM; $bb sleep 1002 & $bb sleep 1003; :" &
  echo planted; while :; do $bb sleep 1004; done`;
const TREE_SIZE = 7;

suite("killed with -9", () => {
  let engine: Engine;
  let agent: TestAgent;
  let neighbour: Neighbour;

  before(async () => {
    engine = await sharedEngine();
    await engine.run(NEIGHBOUR);
    await engine.run(WITH_SHELL);
    await engine.run(WITHOUT_SHELL, { image: "noshell" });
    agent = await startAgent({ engine });
    neighbour = await Neighbour.start(agent, NEIGHBOUR);
  });

  after(async () => {
    await neighbour?.close();
    await agent?.stop();
    await engine?.docker("rm", "--force", ...CONTAINERS);
  });

  for (const container of [WITH_SHELL, WITHOUT_SHELL])
    for (const tty of [false, true])
      test(`a client's tree in ${container} is gone soon, ${tty ? "on a terminal that was not to be kept" : "without a terminal"}`, async () => {
        const { client } = await plant({ agent, container, tty }, tty ? { onDrop: "kill" } : {});
        await grown(engine, container);
        await neighbour.pulse();
        await killed(client);
        await bare(engine, container, GONE_WITHIN_MS);
        await neighbour.pulse();
        await carries(agent, 1);
      });

  test("a ctl that is killed takes its process along", async () => {
    const ctl = startCtl(agent, "exec", "-i", WITH_SHELL, "--", "busybox", "sh", "-c", TREE, "busybox");
    await ctl.says(/planted/);
    await grown(engine, WITH_SHELL);
    await killed(ctl.child);
    await bare(engine, WITH_SHELL, GONE_WITHIN_MS);
    await neighbour.pulse();
    await carries(agent, 1);
  });

  test("a terminal with a grace of nothing is gone soon", async () => {
    const { client } = await plant({ agent, container: WITH_SHELL, tty: true }, { onDrop: "keep", grace: 0 });
    await grown(engine, WITH_SHELL);
    await killed(client);
    await bare(engine, WITH_SHELL, GONE_WITHIN_MS);
    await carries(agent, 1);
  });

  test("a terminal is kept by default, can be resumed by who knows its secret, and is gone after its grace", async () => {
    const grace = 3_000;
    const { client, opened } = await plant({ agent, container: WITH_SHELL, tty: true }, { grace });
    await grown(engine, WITH_SHELL);
    await killed(client);
    const again = await resume(agent, { ...opened, epoch: 2, received: 0 });
    const { value: packet } = await again.packets.next();
    assert.match(Buffer.from(packet?.type === "stdout" ? packet.bytes : "").toString(), /^planted/);
    assert.equal(await population(engine, WITH_SHELL), 1 + TREE_SIZE);
    again.cut();
    const cut = performance.now();
    await bare(engine, WITH_SHELL, grace + GONE_WITHIN_MS);
    assert.ok(performance.now() - cut >= grace, "it did not wait for its grace");
    await neighbour.pulse();
    await carries(agent, 1);
  });

  test("a tree that floods a client that does not read is gone as well", async () => {
    const body = { command: ["sh", "-c", "yes & yes 1>&2 & yes"], tty: false, stdin: false };
    const { client } = await startClient({ ...address(agent), container: WITH_SHELL, body, options: {} });
    await until("flooding", async () => (await population(engine, WITH_SHELL)) >= 4);
    await neighbour.pulse();
    await killed(client);
    await bare(engine, WITH_SHELL, GONE_WITHIN_MS);
    await carries(agent, 1);
  });

  test("a killed agent's trees are ended by the next one, and its clients are told", async () => {
    const first = await startAgent({ engine });
    const kept = await plant({ agent: first, container: WITH_SHELL, tty: true }, {});
    const piped = await plant({ agent: first, container: WITHOUT_SHELL, tty: false }, {});
    const ctl = startCtl(first, "exec", "-i", NEIGHBOUR, "--", "sh", "-c", "echo ready; sleep 1000");
    await ctl.says(/ready/);
    await grown(engine, WITH_SHELL);
    await grown(engine, WITHOUT_SHELL);
    first.kill("SIGKILL");
    await first.exited;
    assert.equal((await ctl.ended).code, 125);
    assert.equal(await population(engine, WITH_SHELL), 1 + TREE_SIZE);
    assert.equal(await population(engine, WITHOUT_SHELL), 1 + TREE_SIZE);

    const second = await startAgent({ engine, home: first.home });
    await bare(engine, WITH_SHELL, GONE_WITHIN_MS);
    await bare(engine, WITHOUT_SHELL, GONE_WITHIN_MS);
    await killed(kept.client);
    await killed(piped.client);
    await second.stop();
    await neighbour.pulse();
  });

  test("nothing is left, and the neighbour noticed nothing", async () => {
    await neighbour.stop();
    await carries(agent, 0);
    for (const container of CONTAINERS) await bare(engine, container, GONE_WITHIN_MS);
  });
});

function address({ url, token }: TestAgent): { url: string; token: string } {
  return { url, token };
}

async function plant(
  { agent, container, tty }: { agent: TestAgent; container: string; tty: boolean },
  options: SessionOptions,
): Promise<{ client: ChildProcess; opened: Opened }> {
  const [bb = ""] = BUSYBOX[container] ?? [];
  const body: ExecBody = { command: [bb, "sh", "-c", TREE, bb], tty, stdin: true };
  return startClient({ ...address(agent), container, body, options });
}

async function startClient(order: Order): Promise<{ client: ChildProcess; opened: Opened }> {
  const client = spawn(process.execPath, [CLIENT, JSON.stringify(order)], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(client.stdout, "data")) as [Buffer];
  return { client, opened: JSON.parse(line.toString()) as Opened };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Resolves when the whole tree stands. */
async function grown(engine: Engine, container: string): Promise<void> {
  await until(`a tree in ${container}`, async () => (await population(engine, container)) === 1 + TREE_SIZE);
}

/** Only the container's own process is left, within so many milliseconds. */
async function bare(engine: Engine, container: string, within: number): Promise<void> {
  const start = performance.now();
  await until(`${container} being bare`, async () => (await population(engine, container)) === 1);
  const took = Math.round(performance.now() - start);
  assert.ok(took <= within, `what was started in ${container} was gone after ${took} ms only`);
}

async function population(engine: Engine, container: string): Promise<number> {
  const [, ...processes] = (await engine.docker("top", container, "-eo", "pid")).split("\n");
  return processes.length;
}
