/** copyOut and copyIn: archives of what is in a container, whether it runs or not. */

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { extract, pack } from "tar-stream";
import type { CopySink } from "../../../src/agent/runtime/runtime.ts";
import { until } from "../../support/until.ts";
import type { Rig } from "../rig.ts";

const MIB = 1024 * 1024;

interface Item {
  type: string;
  body: string;
}

export function copyContract(rig: Rig): void {
  const { signal } = rig;
  let shared: Promise<string> | undefined;
  const SETUP = "mkdir -p /data/sub; echo one >/data/one; echo two >/data/sub/two; ln -s one /data/link; sleep 1000000";
  const home = () =>
    (shared ??= rig.container({ command: ["sh", "-c", SETUP] }).then(async (id) => {
      await until("its files", () => rig.engine.docker("exec", id, "ls", "/data/link").catch(() => undefined));
      return id;
    }));
  const out = async (id: string, path: string, follow = false) => {
    const source = await rig.runtime.copyOut(id, { path, follow }, signal);
    return { place: source.place, items: await itemsOf(source.archive) };
  };
  const into = async (id: string, path: string, items: Record<string, string | Buffer>) => {
    const sink = await rig.runtime.copyIn(id, path, signal);
    await pour(sink, await archiveOf(items));
    return sink.place;
  };

  rig.verb("copyOut", "gives a directory and everything in it under its name", async () => {
    const { place, items } = await out(await home(), "/data");
    assert.deepEqual([place.kind, place.name], ["directory", "data"]);
    assert.deepEqual(items, {
      data: { type: "directory", body: "" },
      "data/link": { type: "symlink", body: "" },
      "data/one": { type: "file", body: "one\n" },
      "data/sub": { type: "directory", body: "" },
      "data/sub/two": { type: "file", body: "two\n" },
    });
  });

  rig.verb(
    "copyOut",
    "gives a file with its size, a link as a link, or what it leads to when that is asked",
    async () => {
      const id = await home();
      const file = await out(id, "/data/one");
      assert.deepEqual(file, {
        place: { kind: "file", name: "one", size: 4 },
        items: { one: { type: "file", body: "one\n" } },
      });
      const link = await out(id, "/data/link");
      assert.deepEqual([link.place.kind, link.place.target, Object.keys(link.items)], ["link", "/data/one", ["link"]]);
      assert.deepEqual(await out(id, "/data/link", true), file);
    },
  );

  rig.verb("copyOut", "says what is not there, and what is no directory", async () => {
    const id = await home();
    await assert.rejects(out(id, "/nope"), { code: "path-not-found", message: /\/nope/ });
    await assert.rejects(out("0".repeat(64), "/data"), { code: "not-found" });
  });

  rig.verb("copyOut", "says that a file is no directory", async () => {
    await assert.rejects(out(await home(), "/data/one/"), { code: "not-a-directory" });
  });

  rig.verb("copyOut", "waits for a reader that is slow, and ends with its signal", async () => {
    const id = await home();
    await rig.engine.docker("exec", id, "dd", "if=/dev/zero", "of=/big", "bs=1M", "count=64");
    const cut = new AbortController();
    const source = await rig.runtime.copyOut(id, { path: "/big", follow: false }, cut.signal);
    const reader = source.archive[Symbol.asyncIterator]();
    await reader.next();
    cut.abort(new Error("enough"));
    await assert.rejects(async () => {
      while (!(await reader.next()).done);
    }, /enough/);
    // The engine has let go of the container.
    await rig.engine.docker("exec", id, "rm", "/big");
  });

  rig.verb("copyIn", "unpacks in a directory, and next to what is none", async () => {
    const id = await home();
    assert.deepEqual(await into(id, "/data", { three: "3" }), { kind: "directory", name: "data", size: 4096 });
    assert.deepEqual(await into(id, "/data/new", { new: "4" }), { kind: "absent", name: "new", size: 0 });
    assert.deepEqual(await into(id, "/data/link", { one: "changed" }), { kind: "file", name: "one", size: 4 });
    assert.equal(await rig.engine.docker("exec", id, "cat", "/data/three", "/data/new", "/data/one"), "34changed");
  });

  rig.verb("copyIn", "carries ten megabytes in pieces of any size, byte for byte", async () => {
    const id = await home();
    const bytes = randomBytes(10 * MIB);
    const sink = await rig.runtime.copyIn(id, "/", signal);
    await pour(sink, await archiveOf({ random: bytes }), 77_777);
    const [sum] = (await rig.engine.docker("exec", id, "sha256sum", "/random")).split(" ");
    assert.equal(sum, createHash("sha256").update(bytes).digest("hex"));
  });

  rig.verb("copyIn", "works in a container that never ran, also one without a shell", async () => {
    const id = await rig.engine.docker("create", "--name", `contract-${crypto.randomUUID().slice(0, 8)}`, "noshell");
    await into(id, "/", { x: "still" });
    assert.deepEqual((await out(id, "/x")).items, { x: { type: "file", body: "still" } });
    await rig.engine.docker("rm", id);
  });

  rig.verb("copyIn", "says why nothing can be unpacked there", async () => {
    const id = await home();
    await assert.rejects(into(id, "/no/where", { x: "" }), { code: "path-not-found" });
    await assert.rejects(into(id, "/data/one/x", { x: "" }), { code: "not-a-directory" });
    await assert.rejects(into("0".repeat(64), "/", { x: "" }), { code: "not-found" });
  });

  rig.verb("copyIn", "says that a container is read-only", async () => {
    const id = await rig.container({ args: ["--read-only"] });
    await assert.rejects(into(id, "/tmp", { x: "" }), { code: "read-only" });
  });

  rig.verb("copyIn", "never replaces a directory by a file", async () => {
    const id = await home();
    await assert.rejects(into(id, "/data", { sub: "a file" }), { code: "not-a-directory" });
    assert.equal(await rig.engine.docker("exec", id, "cat", "/data/sub/two"), "two");
  });

  rig.verb("copyIn", "says that there is no room, while more is still to come", async () => {
    const volume = `contract-${crypto.randomUUID().slice(0, 8)}`;
    await rig.engine.docker(
      "volume",
      "create",
      "--opt",
      "type=tmpfs",
      "--opt",
      "device=tmpfs",
      "--opt",
      "o=size=1m",
      volume,
    );
    const id = await rig.container({ args: ["--volume", `${volume}:/small`] });
    await assert.rejects(into(id, "/small", { big: Buffer.alloc(8 * MIB) }), {
      code: "disk-full",
    });
    await rig.engine.docker("rm", "--force", id);
    await rig.engine.docker("volume", "rm", volume);
  });

  rig.verb("copyIn", "that is cut is not complete to the engine, which lets go of the container", async () => {
    const id = await home();
    const sink = await rig.runtime.copyIn(id, "/data", signal);
    const archive = await archiveOf({ half: randomBytes(MIB) });
    await sink.write(archive.subarray(0, MIB / 2));
    sink.close();
    await assert.rejects(sink.finish());
    await rig.engine.docker("exec", id, "true");
    const size = Number(await rig.engine.docker("exec", id, "stat", "-c", "%s", "/data/half").catch(() => "0"));
    assert.ok(size < MIB, `${size} bytes`);
  });
}

async function archiveOf(items: Record<string, string | Buffer>): Promise<Buffer> {
  const archive = pack();
  for (const [name, body] of Object.entries(items)) archive.entry({ name: `./${name}` }, body);
  archive.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of archive as AsyncIterable<Uint8Array>) parts.push(part);
  return Buffer.concat(parts);
}

async function pour(sink: CopySink, archive: Buffer, piece = archive.length): Promise<void> {
  try {
    for (let at = 0; at < archive.length; at += piece) await sink.write(archive.subarray(at, at + piece));
    await sink.finish();
  } finally {
    sink.close();
  }
}

async function itemsOf(archive: AsyncIterable<Uint8Array>): Promise<Record<string, Item>> {
  const reader = extract();
  void (async () => {
    for await (const bytes of archive) reader.write(Buffer.from(bytes));
    reader.end(null);
  })().catch((error: Error) => reader.destroy(error));
  const items: Record<string, Item> = {};
  for await (const entry of reader) {
    let body = "";
    for await (const bytes of entry as AsyncIterable<Uint8Array>) body += Buffer.from(bytes).toString();
    items[entry.header.name.replace(/\/$/, "")] = { type: entry.header.type, body };
  }
  return items;
}
