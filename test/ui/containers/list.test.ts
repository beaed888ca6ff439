/** What the list shows, in which order and in which words. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerView } from "../../../src/protocol/container.ts";
import { firstRows, type Group, grouped, matches, rowsOf } from "../../../src/ui/containers/groups.ts";
import { image, may, ports, status } from "../../../src/ui/containers/wording.ts";

function container(facts: Partial<ContainerView>): ContainerView {
  return {
    id: "0".repeat(64),
    name: "web",
    image: "nginx:1.29",
    command: "nginx",
    state: "running",
    status: "Up 3 hours",
    created: 0,
    ports: [],
    networks: [],
    labels: {},
    rights: ["list"],
    ...facts,
  };
}

test("containers stand under their Compose project, projects by name, the rest last", () => {
  const groups = grouped([
    container({ name: "alone" }),
    container({ name: "shop-web-10", project: "shop" }),
    container({ name: "shop-web-2", project: "shop" }),
    container({ name: "shop-db", project: "shop", state: "exited" }),
    container({ name: "blog-1", project: "blog" }),
  ]);
  assert.deepEqual(
    groups.map(({ project, containers }) => [project, containers.map(({ name }) => name)]),
    [
      ["blog", ["blog-1"]],
      ["shop", ["shop-web-2", "shop-web-10", "shop-db"]],
      [undefined, ["alone"]],
    ],
  );
});

test("the filter wants every word, in any field and any case", () => {
  const web = container({ name: "shop-web-1", project: "shop", image: "nginx:1.29" });
  assert.ok(matches(web, "NGINX shop"));
  assert.ok(matches(web, "  "));
  assert.ok(!matches(web, "nginx blog"));
});

test("ports are listed once each, published ones with the host's", () => {
  const published = [
    { container: 443, protocol: "tcp" },
    { container: 80, protocol: "tcp", host: 8080, address: "0.0.0.0" },
    { container: 80, protocol: "tcp", host: 8080, address: "::" },
    { container: 53, protocol: "udp", host: 53, address: "0.0.0.0" },
  ];
  assert.deepEqual(ports(container({ ports: published })), [
    { words: "53→53/udp", tcp: undefined },
    { words: "8080→80", tcp: 80 },
    { words: "443", tcp: 443 },
  ]);
});

test("a status does not repeat the state", () => {
  assert.equal(status(container({ state: "exited", status: "Exited (137) 2 days ago" })), "(137) 2 days ago");
  assert.equal(status(container({ state: "running", status: "Up 3 hours" })), "Up 3 hours");
});

test("images lose their digests and bare ids are shortened", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  assert.equal(image(digest), "abababababab");
  assert.equal(image(`registry:5000/app:2@${digest}`), "registry:5000/app:2");
  assert.equal(image("redis"), "redis");
});

test("a right is a right, and admin is all of them", () => {
  assert.ok(may(container({ rights: ["list", "logs"] }), "logs"));
  assert.ok(!may(container({ rights: ["list", "logs"] }), "exec"));
  assert.ok(may(container({ rights: ["admin"] }), "exec"));
});

test("only the first rows are drawn, and a group that is cut says how many it has", () => {
  const groups: Group[] = [
    { node: "a", containers: [container({ id: "1" }), container({ id: "2" })] },
    { node: "away", containers: [] },
    { node: "b", containers: [container({ id: "3" }), container({ id: "4" }), container({ id: "5" })] },
  ];
  assert.equal(rowsOf(groups), 6);
  assert.deepEqual(firstRows(groups, 6), groups);
  const [a, away, b] = firstRows(groups, 4);
  assert.deepEqual([a, away, b?.containers.length, b?.left], [groups[0], groups[1], 1, 2]);
  assert.deepEqual(firstRows(groups, 2), groups.slice(0, 1));
});
