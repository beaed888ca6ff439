import assert from "node:assert/strict";
import { test } from "node:test";
import { assertsDirectory, meansContents, nameOf, parseEnd } from "../../../src/ctl/copy/end.ts";
import { type Destination, land } from "../../../src/ctl/copy/landing.ts";

function landing(source: string, isDirectory: boolean, to: { path: string; kind: Destination["kind"] }) {
  const departure = {
    directory: isDirectory,
    name: nameOf({ at: "container", path: source }),
    contents: meansContents(source),
    shown: source,
  };
  const name = nameOf({ at: "container", path: to.path });
  return land(departure, { kind: to.kind, name, asserted: assertsDirectory(to.path), shown: to.path });
}

test("a file lands in a directory, on a file or under a new name", () => {
  assert.deepEqual(landing("/a/x", false, { path: "/b", kind: "directory" }), { into: "itself", name: "x" });
  assert.deepEqual(landing("/a/x", false, { path: "/b/y", kind: "file" }), { into: "parent", name: "y" });
  assert.deepEqual(landing("/a/x", false, { path: "/b/y", kind: "absent" }), { into: "parent", name: "y" });
});

test("a directory lands in a directory, its contents in the directory itself, both under a new name where none is", () => {
  assert.deepEqual(landing("/a/d", true, { path: "/b", kind: "directory" }), { into: "itself", name: "d" });
  for (const contents of ["/a/d/.", ".", "/", "/."])
    assert.deepEqual(landing(contents, true, { path: "/b", kind: "directory" }), { into: "itself", name: "." });
  for (const source of ["/a/d", "/a/d/", "/a/d/."])
    assert.deepEqual(landing(source, true, { path: "/b/e/", kind: "absent" }), { into: "parent", name: "e" });
});

test("what does not fit is refused with words", () => {
  assert.throws(() => landing("/a/d", true, { path: "/b/y", kind: "file" }), /is a file; a directory is needed/);
  assert.throws(() => landing("/a/x", false, { path: "/b/y/", kind: "file" }), /is a file; a directory is needed/);
  assert.throws(() => landing("/a/x", false, { path: "/b/y/", kind: "absent" }), /y\/ does not exist/);
});

test("an end is in a container, here or a pipe, by the rules of docker cp", () => {
  assert.deepEqual(parseEnd("web:/srv/a:b"), { at: "container", container: "web", path: "/srv/a:b" });
  assert.deepEqual(parseEnd("shop/web:srv"), { at: "container", container: "shop/web", path: "srv" });
  for (const path of ["./web:x", "/web:x", "../web:x", "plain", "."])
    assert.deepEqual(parseEnd(path), { at: "here", path });
  assert.deepEqual(parseEnd("-"), { at: "pipe" });
  for (const text of ["web:", ":/srv", ""]) assert.throws(() => parseEnd(text), { name: "UsageError" });
});
