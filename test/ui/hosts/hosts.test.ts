/** What the page remembers of hosts, and how it is drawn. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Beat, NodeView } from "../../../src/protocol/node.ts";
import { drawn } from "../../../src/ui/curve.ts";
import { HOSTS, type Host, WINDOW } from "../../../src/ui/hosts/hosts.ts";
import { NODE_SETTINGS } from "../../support/node-settings.ts";

const BEAT: Beat = { cpuUsage: 25, memoryTotal: 400, memoryFree: 100, engineReady: true, containersRunning: 1 };

function node(facts: Partial<NodeView>): NodeView {
  return { name: "box", uid: "1", status: "Ready", created: 0, settings: NODE_SETTINGS, ...facts };
}

/** As a new answer tells of them. */
function read(before: Host[] | undefined, ...nodes: NodeView[]): Host[] {
  return HOSTS.reader(before)({ nodes: Object.fromEntries(nodes.map((each) => [each.name, each])) });
}

test("each report is kept once, as long as the charts look back", () => {
  let hosts = read(undefined, node({ lastSeen: 1_000, beat: BEAT }));
  assert.deepEqual(hosts[0]?.samples, [{ time: 1_000, cpu: 25, memory: 75, gpus: [] }]);
  hosts = read(hosts, node({ lastSeen: 1_000, beat: BEAT }));
  assert.equal(hosts[0]?.samples.length, 1);
  hosts = read(hosts, node({ lastSeen: 2_000, beat: { ...BEAT, diskTotal: 10, diskFree: 9 } }));
  assert.deepEqual([hosts[0]?.samples.length, hosts[0]?.samples[1]?.disk], [2, 10]);
  hosts = read(hosts, node({ lastSeen: 1_500 + WINDOW, beat: BEAT }));
  assert.deepEqual(
    hosts[0]?.samples.map(({ time }) => time),
    [2_000, 1_500 + WINDOW],
  );
});

test("a host that was added anew under its name has another past, and one without reports none", () => {
  const hosts = read(undefined, node({ lastSeen: 1_000, beat: BEAT }));
  assert.deepEqual(read(hosts, node({ uid: "2" }))[0]?.samples, []);
});

test("a line tells what is different, and leaves every other host the very same", () => {
  const line = HOSTS.reader(undefined);
  const other = { ...node({}), name: "other", uid: "2" };
  const [box, same] = line({ nodes: { box: node({ lastSeen: 1_000, beat: BEAT }), other } });
  const now = line({ nodes: { box: { lastSeen: 2_000, status: "NotReady", beat: { memoryFree: 300 } } } });
  assert.deepEqual(now[0]?.node, {
    ...box?.node,
    lastSeen: 2_000,
    status: "NotReady",
    beat: { ...BEAT, memoryFree: 300 },
  });
  assert.deepEqual(
    now[0]?.samples.map(({ memory }) => memory),
    [75, 25],
  );
  assert.equal(now[1], same);
  assert.deepEqual(line({ nodes: { box: null } }), [same]);
});

test("a line ends at the right and at the top, and is interrupted where reports are missing", () => {
  const end = WINDOW;
  const points = [
    [0, 0],
    [10, 50],
    [100, 100],
    [end, undefined],
  ] as const;
  const scale = { end, span: WINDOW, top: 100, gap: 20 };
  assert.equal(drawn(points, scale), "M0.0 32.0L0.0 16.0M0.0 0.0");
  assert.equal(drawn([[end, 200]], scale), "M120.0 0.0");
});
