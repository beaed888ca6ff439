/** A development server in a container, on a page of a real browser: what is changed there is seen here without a reload. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";
import { Site, VITE_PORT } from "./page/vite.ts";

const NAME = "page-vite_Dev.Server";

let setup: Setup;
let site: Site;

before(async () => {
  site = await Site.create();
  setup = await openPage((engine) => site.serve(engine, NAME));
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [NAME]);
  await site?.remove();
});

test("a page of vite shows a change by itself, over its own WebSocket", async () => {
  const { context, page } = setup;
  const opened = context.waitForEvent("page");
  await page.getByRole("button", { name: `Open port ${VITE_PORT} of ${NAME}` }).click();
  assert.match(await site.change(await opened), /^ws:\/\/page-vite-dev-server-5173-\w+\.localhost:\d+\//);
});
