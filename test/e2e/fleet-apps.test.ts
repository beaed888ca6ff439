/** The pages of containers, opened from the server's page in a real browser, for hosts that only the server reaches. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { reload } from "./page/browser.ts";
import { type FleetPage, openFleetPage } from "./page/fleet.ts";
import { attack, attackInVain, FAILED, runHostile } from "./page/hostile.ts";
import { removeContainers } from "./page/setup.ts";
import { Site, VITE_PORT } from "./page/vite.ts";

const HOSTILE = "page-fleet-hostile";
const VITE = "page-fleet-vite";
const PORT = 8000;

let engine: Engine;
let fleet: FleetPage;
let site: Site;

/** Two hosts share the engine: each of its containers is there twice, under one name. */
before(async () => {
  engine = await sharedEngine();
  site = await Site.create();
  await Promise.all([runHostile(engine, HOSTILE, [PORT]), site.serve(engine, VITE)]);
  fleet = await openFleetPage();
  await fleet.join("box-1", engine);
  await fleet.join("box-2", engine);
});

after(async () => {
  await fleet?.close();
  await removeContainers(engine, [HOSTILE, VITE]);
  await site?.remove();
});

/** By a click in the list. */
async function openApp(name: string, port: number): Promise<Page> {
  const { context, page } = fleet;
  await page.getByRole("tab", { name: "Containers" }).click();
  const opened = context.waitForEvent("page");
  await page.getByRole("button", { name: `Open port ${port} of ${name}`, exact: true }).click();
  const app = await opened;
  await app.waitForURL(/^http:\/\/box-[12]-page-fleet-\w+-\d+-\w+\.localhost:\d+\/$/);
  return app;
}

test("a container's page opens with a click, and shows a change by itself over its own WebSocket", async () => {
  const app = await openApp(`box-1:${VITE}`, VITE_PORT);
  assert.match(await site.change(app), /^ws:\/\/box-1-page-fleet-vite-5173-\w+\.localhost:\d+\//);
  await app.close();
});

test("a hostile one has no way to the server's page, nor to the page of another host's container of its name", async () => {
  const [app, other] = [await openApp(`box-1:${HOSTILE}`, PORT), await openApp(`box-2:${HOSTILE}`, PORT)];
  assert.notEqual(new URL(app.url()).origin, new URL(other.url()).origin);
  await attackInVain(app, fleet.cable.url);
  const results = await attack(other, new URL(app.url()).origin);
  for (const name of ["read", "write", "blind"]) assert.equal(results[name], FAILED, name);
  const seen = String(await app.evaluate("fetch('/seen').then((it) => it.text())"));
  assert.match(seen, /"url":"\/"/);
  assert.ok(!/fairlead|authorization|\/api\//i.test(seen));
  await Promise.all([app.close(), other.close()]);
});

test("one that cannot be opened is told on the server's page, and signing out there closes what is open", async () => {
  const { page, server } = fleet;
  const app = await openApp(`box-1:${HOSTILE}`, PORT);
  await server.post("/api/v1/nodes/box-2/disable");
  await page.getByRole("button", { name: `Open port ${PORT} of box-2:${HOSTILE}`, exact: true }).click();
  await page.getByText(/Port 8000 of box-2:page-fleet-hostile cannot be opened: The host box-2 is disabled/).waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  await until("a closed door", async () => (await reload(app))?.status() === 401);
  assert.match(await app.content(), /This app is not open/);
});

test("nothing on the server's page broke the content policy", () => {
  assert.deepEqual(
    fleet.complaints.filter((words) => !/Failed to load resource|WebSocket connection/.test(words)),
    [],
  );
});
