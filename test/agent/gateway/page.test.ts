import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type Front, startFront } from "../../support/front.ts";

const INDEX = "<!doctype html><title>page</title>";
const SCRIPT = "export const page = 1;";

suite("the page", () => {
  let directory: string;
  let front: Front;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "fairlead-page-"));
    await mkdir(join(directory, "ui", "assets"), { recursive: true });
    await writeFile(join(directory, "secret.txt"), "secret");
    await writeFile(join(directory, "ui", "index.html"), INDEX);
    await writeFile(join(directory, "ui", "assets", "main-1a2b3c.js"), SCRIPT);
    await symlink("../secret.txt", join(directory, "ui", "link.txt"));
    front = await startFront({ gateway: { uiDirectory: join(directory, "ui") } });
  });
  after(async () => {
    await front[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  test("comes to anyone, under a policy that allows no foreign code", async () => {
    const answer = await front.ask({ path: "/" });
    assert.deepEqual([answer.status, answer.body], [200, INDEX]);
    const { date: _, etag: __, "content-length": ___, "x-request-id": ____, ...headers } = answer.headers;
    assert.deepEqual(headers, {
      "content-security-policy":
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; " +
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      "referrer-policy": "no-referrer",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "no-cache",
      "content-type": "text/html; charset=utf-8",
      connection: "close",
    });
  });

  test("has files that are kept for ever when their name changes with their content", async () => {
    const answer = await front.ask({ path: "/assets/main-1a2b3c.js" });
    assert.deepEqual([answer.status, answer.body], [200, SCRIPT]);
    assert.equal(answer.headers["content-type"], "text/javascript; charset=utf-8");
    assert.equal(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    const again = await front.ask({
      path: "/",
      headers: [`If-None-Match: ${(await front.ask({ path: "/" })).headers["etag"]}`],
    });
    assert.deepEqual([again.status, again.body], [304, ""]);
    const head = await front.ask({ path: "/", method: "HEAD" });
    assert.deepEqual([head.status, head.headers["content-length"]], [200, String(INDEX.length)]);
  });

  test("is nothing but its files", async () => {
    for (const path of [
      "/../secret.txt",
      "/%2e%2e/secret.txt",
      "/..%2fsecret.txt",
      "/assets/../../secret.txt",
      "/link.txt",
      "/assets",
      "/assets/",
      "/index.html/",
      "/index.html%00",
      "//index.html",
      "/INDEX.HTML",
      "/.git/config",
    ]) {
      const answer = await front.ask({ path });
      assert.ok([400, 404].includes(answer.status), `${path}: ${answer.status}`);
      assert.equal(answer.headers["x-content-type-options"], "nosniff", path);
    }
    assert.equal((await front.ask({ path: "/", method: "POST", headers: [`Origin: ${front.url}`] })).status, 404);
  });

  test("is missed at the start, not by its first visitor", async () => {
    const nowhere = startFront({ gateway: { uiDirectory: join(directory, "ui", "assets") } });
    await assert.rejects(nowhere, /has no index.html; build the page with: npm run build/);
  });
});
