/** A development server in a container, on a page of a real browser: what is changed there is seen here without a reload. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runNode } from "./page/node-apps.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

const NAME = "page-vite_Dev.Server";
const PORT = 5173;

let setup: Setup;
let site: string;

/** Takes its own place when it is changed. */
async function write(words: string): Promise<void> {
  await writeFile(
    join(site, "main.js"),
    `document.body.dataset.words = ${JSON.stringify(words)};\nif (import.meta.hot) import.meta.hot.accept();\n`,
  );
}

before(async () => {
  site = await mkdtemp(join(tmpdir(), "fl-vite-"));
  await writeFile(
    join(site, "index.html"),
    '<!doctype html><body><script type="module" src="/main.js"></script></body>',
  );
  await writeFile(join(site, "vite.config.js"), `export default { cacheDir: "/tmp/vite" };\n`);
  await write("before");
  setup = await openPage((engine) =>
    runNode(engine, {
      name: NAME,
      ports: [PORT],
      // On the container's own loopback, as a development server is by default.
      command: ["/repository/node_modules/vite/bin/vite.js", "/site", "--port", String(PORT)],
      mounts: { [site]: "/site" },
    }),
  );
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [NAME]);
  await rm(site, { recursive: true, force: true });
});

test("a page of vite shows a change by itself, over its own WebSocket", async () => {
  const { context, page } = setup;
  const opened = context.waitForEvent("page");
  await page.getByRole("button", { name: `Open port ${PORT} of ${NAME}` }).click();
  const app = await opened;
  const connected = new Promise<string>((resolve) => {
    app.once("websocket", (socket) => void socket.once("framereceived", () => resolve(socket.url())));
  });
  await app.locator('body[data-words="before"]').waitFor({ state: "attached" });
  assert.match(await connected, /^ws:\/\/page-vite-dev-server-5173-\w+\.localhost:\d+\//);
  await app.evaluate("window.stays = 'stays'");
  await write("after");
  await app.locator('body[data-words="after"]').waitFor({ state: "attached" });
  assert.equal(await app.evaluate("window.stays"), "stays");
});
