/** Following the hosts and what their containers use: what is told is what there is, and nobody is told of what is not his to see. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { NodeView } from "../../../src/protocol/node.ts";
import type { HostUsages } from "../../../src/protocol/stats.ts";
import { aborted } from "../../../src/lib/wait.ts";
import { Fleet } from "../../support/fleet.ts";
import { TestHost } from "../../support/host.ts";
import { documents, documentWith } from "../../support/patches.ts";
import { container } from "../../support/scripted-runtime.ts";

interface Hosts {
  nodes: Record<string, NodeView>;
}

interface Usages {
  hosts: Record<string, HostUsages>;
}

const BLUE = container({ id: "b".repeat(64), name: "blue", labels: { team: "blue" } });
const RED = container({ id: "e".repeat(64), name: "red", labels: { team: "red" } });
const USED = {
  cpu: 12.34,
  memory: { used: 100, limit: 1_000 },
  network: { received: 1, sent: 2 },
  block: { read: 3, written: 4 },
  pids: 5,
};

suite("who follows", () => {
  let fleet: Fleet;
  before(async () => {
    fleet = await Fleet.start({
      containers: [BLUE, RED],
      stats: async function* (_id, signal) {
        yield USED;
        await aborted(signal);
      },
    });
  });
  after(() => fleet[Symbol.asyncDispose]());

  const token = async (wish: { name: string; rights: string[]; scopes?: object[]; nodes?: string[] }) =>
    (await fleet.post<{ token: string }>("/api/v1/tokens", wish)).token;
  const list = async () => ((await (await fleet.ask("/api/v1/nodes")).json()) as { nodes: NodeView[] }).nodes;

  test("the hosts is told of each that comes, changes or goes, and of no other's", async () => {
    const other = await token({ name: "other", rights: ["list"], nodes: ["added"] });
    const [all, his] = await Promise.all(
      [undefined, other].map(async (token) => documents<Hosts>(await fleet.ask("/api/v1/nodes?watch=1", { token }))),
    );
    assert.ok(all && his);
    assert.deepEqual((await his.next()).value, { nodes: {} });
    await fleet.post("/api/v1/nodes", { name: "added" });
    await comes(his, ({ nodes }) => nodes["added"]?.status === "Pending");
    await fleet.ask("/api/v1/nodes/added/settings", { method: "PATCH", body: { gpuMetrics: false } });
    const { nodes: one } = await comes(his, ({ nodes }) => nodes["added"]?.settings.gpuMetrics === false);
    assert.deepEqual(Object.keys(one), ["added"]);
    assert.deepEqual(
      one["added"],
      (await list()).find(({ name }) => name === "added"),
    );
    const { nodes: both } = await comes(all, ({ nodes }) => nodes["added"]?.settings.gpuMetrics === false);
    assert.deepEqual(Object.keys(both).toSorted(), ["added", "box"]);
    assert.equal(JSON.stringify(both).includes("blue"), false);
    await fleet.ask("/api/v1/nodes/added", { method: "DELETE" });
    await comes(his, ({ nodes }) => Object.keys(nodes).length === 0);
    await Promise.all([all.return(), his.return()]);
  });

  test("the hosts with a scope is not told who uses their GPUs, which may be another's container", async () => {
    const host = new TestHost(fleet.url);
    await host.bootstrap((await fleet.post<{ token: string }>("/api/v1/nodes", { name: "gpu" })).token);
    const gpu = { uuid: "GPU-1", name: "T4", usage: 50, processes: [{ pid: 7, memory: 1, container: RED.id }] };
    await host.beat({ gpus: [gpu] });
    const scoped = await token({ name: "green", rights: ["list"], scopes: [{ team: "blue" }] });
    const told = async (token?: string) => {
      const one = (await (await fleet.ask("/api/v1/nodes/gpu", { token })).json()) as NodeView;
      const { nodes } = (await (await fleet.ask("/api/v1/nodes", { token })).json()) as { nodes: NodeView[] };
      const followed = await documentWith<Hosts>(await fleet.ask("/api/v1/nodes?watch=1", { token }), () => true);
      return [one, nodes.find(({ name }) => name === "gpu"), followed.nodes["gpu"]].map((view) => view?.beat?.gpus);
    };
    assert.deepEqual(await told(), [[gpu], [gpu], [gpu]]);
    const nobodys = [{ ...gpu, processes: [] }];
    assert.deepEqual(await told(scoped), [nobodys, nobodys, nobodys]);
  });

  test("what containers use is told of those that he may inspect, wherever that depends on labels", async () => {
    const scoped = await token({ name: "blue", rights: ["list", "inspect"], scopes: [{ team: "blue" }] });
    const names = async (token?: string) => {
      const answer = await fleet.ask("/api/v1/stats?watch=1", { token });
      const { hosts } = await documentWith<Usages>(
        answer,
        (now) => Object.keys(now.hosts["box"]?.containers ?? {}).length > 0,
      );
      assert.equal(hosts["box"]?.late, false);
      return hosts["box"].containers;
    };
    const [all, his] = await Promise.all([names(), names(scoped)]);
    assert.deepEqual(Object.keys(all).toSorted(), [BLUE.id, RED.id]);
    assert.deepEqual(his, { [BLUE.id]: { id: BLUE.id, name: "blue", ...USED, cpu: 12.3 } });
    const elsewhere = await token({ name: "elsewhere", rights: ["inspect"], nodes: ["nowhere"] });
    const none = documents<Usages>(await fleet.ask("/api/v1/stats?watch=1", { token: elsewhere }));
    assert.deepEqual((await none.next()).value, { hosts: {} });
    await none.return();
  });

  test("what containers use is told that the figures are old, once their host has missed reports", async () => {
    const host = new TestHost(fleet.url);
    await host.bootstrap((await fleet.post<{ token: string }>("/api/v1/nodes", { name: "late" })).token);
    await host.beat({ containers: [{ id: "1", name: "web", ...USED }] });
    const told = documents<Usages>(await fleet.ask("/api/v1/stats?watch=1"));
    const { hosts: before } = await comes(told, ({ hosts }) => hosts["late"]?.containers["1"]?.name === "web");
    assert.equal(before["late"]?.late, false);
    const { hosts: then } = await comes(told, ({ hosts }) => hosts["late"]?.late === true);
    assert.deepEqual(then["late"], { ...before["late"], late: true });
    await told.return();
  });
});

/** Leaves the rest for later. */
async function comes<T>(told: AsyncGenerator<T, void, void>, wanted: (document: T) => boolean): Promise<T> {
  for (;;) {
    const { value, done } = await told.next();
    if (done) throw new Error("the answer ended before it came to that");
    if (wanted(value)) return value;
  }
}
