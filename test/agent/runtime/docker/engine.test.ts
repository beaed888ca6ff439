/** Short calls to engines that misbehave. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import * as z from "zod/mini";
import {
  allContainers,
  engineInfo,
  inspectContainer,
  listContainers,
} from "../../../../src/agent/runtime/docker/containers.ts";
import type { Engine } from "../../../../src/agent/runtime/docker/engine.ts";
import { RuntimeError } from "../../../../src/agent/runtime/runtime.ts";
import { ContainerDetailView, ContainerView } from "../../../../src/protocol/container.ts";
import { type Answer, HANG_MS, hangsAfter, json, says, withFakeEngine } from "./fake-engine.ts";

const { signal } = new AbortController();
const MIB = 1024 * 1024;
/** Milliseconds in which nothing may hang. */
const PATIENT = 20_000;
const ID = "a".repeat(64);
/** What the interface promises, without what only a grant tells. */
const Listed = z.omit(ContainerView, { rights: true });
const Inspected = z.omit(ContainerDetailView, { rights: true });

const BROKEN: Record<string, Answer> = {
  "closes at once": says(""),
  "cuts the connection": (socket) => void socket.destroy(),
  "never answers": () => {},
  "answers half a head": says("HTTP/1.1 200 OK\r\nContent-"),
  "hangs in the middle of the head": hangsAfter("HTTP/1.1 200 OK\r\nContent-"),
  "breaks off in the middle of the body": says("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"),
  "breaks off in the middle of a chunk": says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[{"),
  "sends headers without end": (socket) => {
    const more = () => void (socket.writable && socket.write(`X-${"a".repeat(1000)}: 1\r\n`, () => setImmediate(more)));
    socket.write("HTTP/1.1 200 OK\r\n");
    more();
  },
  "speaks another protocol": says("SSH-2.0-OpenSSH_9.2p1\r\n"),
};

for (const [what, answer] of Object.entries(BROKEN)) {
  const every = async (engine: Engine) => {
    for (const call of [engineInfo, listContainers]) {
      await assert.rejects(call(engine, signal), { name: "RuntimeError", code: "engine-unavailable" });
    }
    const stream = engine.stream({ method: "GET", path: "/events" }, signal);
    await assert.rejects(stream.then(drain), { name: "RuntimeError", code: "engine-unavailable" });
  };
  test(`an engine that ${what} is unavailable, for every call`, () => withFakeEngine(answer, every, HANG_MS));
}

test("an engine that hangs in the middle of an answer is unavailable after the time-out", () => {
  const late = async (engine: Engine) => {
    await assert.rejects(listContainers(engine, signal), { code: "engine-unavailable", message: /within 0.3 s/ });
  };
  return withFakeEngine(hangsAfter("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"), late, HANG_MS);
});

test("random bytes instead of an answer are a typed error each time", () =>
  withFakeEngine(
    (socket) => socket.end(randomBytes(200)),
    async (engine) => {
      for (let round = 0; round < 200; round++) {
        await assert.rejects(listContainers(engine, signal), RuntimeError);
        await assert.rejects(engine.stream({ method: "GET", path: "/" }, signal), RuntimeError);
      }
    },
  ));

const FLOOD: Answer = (socket) => {
  socket.write("HTTP/1.1 200 OK\r\n\r\n");
  const block = Buffer.alloc(MIB, " ");
  const more = () => void (socket.writable && socket.write(block, more));
  more();
};

async function inBounds(work: () => Promise<void>): Promise<void> {
  const before = process.memoryUsage().rss;
  await work();
  assert.ok(process.memoryUsage().rss - before < 256 * MIB);
}

test("an endless answer is given up before it fills the memory", () =>
  withFakeEngine(
    FLOOD,
    (engine) =>
      inBounds(() =>
        assert.rejects(engineInfo(engine, signal), { code: "engine-error", message: /larger than 33554432/ }),
      ),
    PATIENT,
  ));

test("an endless list fills no memory until its time is over", () =>
  withFakeEngine(
    FLOOD,
    (engine) =>
      inBounds(() =>
        assert.rejects(listContainers(engine, signal), { code: "engine-unavailable", message: /within 0.3 s/ }),
      ),
    HANG_MS,
  ));

test("an answer that breaks off is an error at once, not after the time-out", async () => {
  const heads = ["Content-Length: 1000\r\n\r\n[{", "Transfer-Encoding: chunked\r\n\r\nff\r\n[{"];
  const broken = async (engine: Engine) => {
    await assert.rejects(listContainers(engine, signal), { code: "engine-unavailable", message: /does not answer: / });
  };
  for (const head of heads) await withFakeEngine(says(`HTTP/1.1 200 OK\r\n${head}`), broken, PATIENT);
});

test("the status decides which error it is, and the engine's words are kept, on one line and without control characters", async () => {
  const cases: [string, string][] = [
    ["400 Bad Request", "invalid"],
    ["404 Not Found", "not-found"],
    ["409 Conflict", "not-running"],
    ["500 Internal Server Error", "engine-error"],
    ["501 Not Implemented", "unsupported"],
  ];
  for (const [status, code] of cases) {
    const answer = says(json('{"message":"No such\\n\\u001b[31m thing"}', status));
    await withFakeEngine(answer, async (engine) => {
      const expected = { name: "RuntimeError", code, message: "No such [31m thing" };
      await assert.rejects(inspectContainer(engine, ID, signal), expected);
      await assert.rejects(engine.stream({ method: "GET", path: "/" }, signal), expected);
    });
  }
});

test("a proxy that does not hand over the raw stream is told apart from an engine", () =>
  withFakeEngine(says(json("{}")), async (engine) => {
    const raw = engine.stream({ method: "POST", path: "/exec/1/start", upgrade: true }, signal);
    await assert.rejects(raw, { code: "unsupported", message: /raw stream/ });
  }));

test("one bad item harms none of the others in a list", () => {
  const good = {
    Id: ID,
    Names: ["/other/alias", "/web"],
    Image: "i",
    ImageID: "sha256:1",
    Command: "c",
    State: "running",
    Status: "Up",
    Created: 1,
  };
  const answer = says(json(JSON.stringify([{}, null, { Id: "x" }, 7, good])));
  return withFakeEngine(answer, async (engine) => {
    const list = await listContainers(engine, signal);
    assert.deepEqual(list, [
      {
        id: ID,
        name: "web",
        image: "i",
        imageId: "sha256:1",
        command: "c",
        state: "running",
        status: "Up",
        created: 1000,
        labels: {},
        ports: [],
        networks: [],
      },
    ]);
  });
});

/** What a field might be instead of what it should be. */
const WRONG = [null, true, -7, "x", {}, [], [null], [7], ["x"], [{}], { x: null }, { x: {} }, Number.MAX_VALUE];

test("a field of another type than it should be has a value that does no harm, and its container and the others are listed", () => {
  const fields = "Names Image ImageID Command State Status Created Labels Ports NetworkSettings".split(" ");
  const ports = ["PrivatePort", "PublicPort", "Type", "IP"].flatMap((name) =>
    WRONG.map((value) => ({ Ports: [{ PrivatePort: 1, Type: "tcp", [name]: value }] })),
  );
  const networks = WRONG.map((Networks) => ({ NetworkSettings: { Networks } }));
  const items = [...fields.flatMap((name) => WRONG.map((value) => ({ [name]: value }))), ...ports, ...networks];
  const ids = items.map((_, at) => at.toString(16).padStart(64, "0"));
  const answer = says(json(JSON.stringify(items.map((item, at) => ({ ...item, Id: ids[at] })))));
  return withFakeEngine(answer, async (engine) => {
    const list = await listContainers(engine, signal);
    assert.deepEqual(
      list.map(({ id }) => id),
      ids,
    );
    for (const container of list) {
      z.parse(Listed, JSON.parse(JSON.stringify(container)));
      assert.ok(container.name.length > 0);
    }
  });
});

test("a field of another type than it should be has a value that does no harm in a closer look too", async () => {
  const inside = {
    Config: ["Tty", "OpenStdin", "StdinOnce"],
    State: ["StartedAt", "FinishedAt", "Running", "ExitCode", "Health"],
    HostConfig: ["RestartPolicy"],
  };
  const whole = [...Object.keys(inside), "Mounts"].flatMap((name) => WRONG.map((value) => ({ [name]: value })));
  const parts = Object.entries(inside).flatMap(([part, names]) =>
    names.flatMap((name) => WRONG.map((value) => ({ [part]: { FinishedAt: "2026-01-01T00:00:00Z", [name]: value } }))),
  );
  const mounts = WRONG.map((value) => ({ Mounts: [{ Type: value, Source: value, Destination: value, RW: value }] }));
  for (const fields of [...whole, ...parts, ...mounts]) {
    const to = (request: string) => says(json(request.includes(ID) ? answerTo(request, fields) : "{}"));
    await withFakeEngine({ to }, async (engine) => {
      const detail = JSON.parse(JSON.stringify(await inspectContainer(engine, ID, signal)));
      z.parse(Inspected, detail);
    });
  }
});

/** The list of one for the request that filters, else the closer look. */
function answerTo(request: string, fields: object): string {
  return JSON.stringify(request.includes("filters") ? [{ Id: ID }] : fields);
}

test("one item that is too long is left out of a list, and told", () => {
  const item = (id: string, label: string) => ({ Id: id.repeat(64), Labels: { label } });
  const items = [item("a", "one"), item("b", "x".repeat(40 * MIB)), item("c", "three")];
  return withFakeEngine(
    says(json(JSON.stringify(items))),
    async (engine) => {
      const { listed, leftOut } = await allContainers(engine, signal);
      assert.deepEqual(
        listed.map(({ id, labels }) => [id[0], labels["label"]]),
        [
          ["a", "one"],
          ["c", "three"],
        ],
      );
      assert.deepEqual(leftOut, ["b".repeat(64)]);
    },
    PATIENT,
  );
});

test("of items that are too long together the longest are left out", () => {
  const sizes = [1, 3 * MIB, 2 * MIB, 5, 3 * MIB, 9, 4 * MIB];
  const items = sizes.map((size, at) => ({ Id: String(at).repeat(64), Labels: { label: "x".repeat(size) } }));
  return withFakeEngine(
    says(json(JSON.stringify(items))),
    async (engine) => {
      const { listed, leftOut } = await allContainers(engine, signal);
      assert.deepEqual(
        listed.map(({ labels }) => labels["label"]?.length),
        [1, 2 * MIB, 5, 3 * MIB, 9],
      );
      assert.deepEqual(
        leftOut.map(([at]) => at),
        ["1", "6"],
      );
    },
    PATIENT,
  );
});

test("what is no list, or ends in the middle of one, is an error", async () => {
  for (const body of ["", " ", "{}", "null", "7", '"[]"', "[", '[{"Id":1}', "[{},", "]", "x[]"])
    await withFakeEngine(says(json(body)), (engine) =>
      assert.rejects(listContainers(engine, signal), { name: "RuntimeError", code: "engine-error" }, body),
    );
});

test("a call that its caller gives up rejects with the caller's reason, at once", () =>
  withFakeEngine(
    () => {},
    async (engine) => {
      const stop = new AbortController();
      const calls = [listContainers(engine, stop.signal), engine.stream({ method: "GET", path: "/" }, stop.signal)];
      stop.abort(new Error("enough"));
      for (const call of calls) await assert.rejects(call, { message: "enough" });
    },
  ));

test("calls that hang do not hold up streams", () =>
  withFakeEngine(
    (socket) => {
      socket.once("data", () => {});
      socket.write("");
    },
    async (engine: Engine) => {
      const hung = Array.from({ length: 20 }, () => listContainers(engine, signal).catch((error) => error.code));
      await assert.rejects(engine.stream({ method: "GET", path: "/" }, signal), { code: "engine-unavailable" });
      assert.deepEqual(new Set(await Promise.all(hung)), new Set(["engine-unavailable"]));
    },
    HANG_MS,
  ));

async function drain(wire: Awaited<ReturnType<Engine["stream"]>>): Promise<void> {
  for await (const _ of wire.body());
  throw new Error("the stream ended as if it were complete");
}
