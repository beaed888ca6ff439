/** A hostile container app in a real browser that is signed in to the agent: it gets nothing. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import type { Page } from "playwright-core";
import { until } from "../support/until.ts";
import { reload, visit } from "./page/browser.ts";
import { attack, attackInVain, FAILED, runHostile } from "./page/hostile.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

const NAME = "page-hostile";
const [PORT, NEIGHBOUR] = [8000, 8001];
const MEBIBYTE = 1_048_576;

let setup: Setup;

before(async () => {
  setup = await openPage((engine) => runHostile(engine, NAME, [PORT, NEIGHBOUR]));
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [NAME]);
});

/** By a click in the list. */
async function openApp(port: number): Promise<Page> {
  const { context, page } = setup;
  const opened = context.waitForEvent("page");
  await page.getByRole("button", { name: `Open port ${port} of ${NAME}` }).click();
  const app = await opened;
  await app.waitForURL(/^http:\/\/page-hostile-\d+-\w+\.localhost:\d+\/$/);
  return app;
}

test("a page of a container opens with a click, on its own origin, with no way back to the agent's page", async () => {
  const app = await openApp(PORT);
  await attackInVain(app, setup.agent.url);
  await app.close();
});

test("the page of a neighbouring app gets no further than that of a stranger", async () => {
  const [app, neighbour] = [await openApp(PORT), await openApp(NEIGHBOUR)];
  const results = await attack(neighbour, new URL(app.url()).origin);
  for (const name of ["read", "write", "blind"]) assert.equal(results[name], FAILED, name);
  assert.equal(results["socket"], "failed: Error");
  const seen = await app.evaluate("fetch('/seen').then((it) => it.text())");
  assert.ok(!String(seen).includes("/api/v1/"));
  await Promise.all([app.close(), neighbour.close()]);
});

test("nothing of the agent's reached the app, and nothing of the app's the agent", async () => {
  const { agent, context, page } = setup;
  const app = await openApp(PORT);
  const seen = String(await app.evaluate("fetch('/seen').then((it) => it.text())"));
  assert.match(seen, /"url":"\/"/);
  assert.ok(!/fairlead|authorization/i.test(seen));
  const cookies = await context.cookies();
  assert.deepEqual(
    cookies.filter(({ name, domain }) => name === "evil" || domain.startsWith(".")),
    [],
  );
  assert.ok(cookies.some(({ name, httpOnly }) => name === "__Host-fairlead-app" && httpOnly));
  await visit(app, `${new URL(app.url()).origin}/away?to=${encodeURIComponent(`${agent.url}/api/v1/whoami`)}`);
  assert.match(await app.content(), /unauthenticated/);
  await app.goBack();
  const flood = await visit(app, `${new URL(app.url()).origin}/flood`);
  assert.equal(flood?.status(), 502);
  assert.match(await app.content(), /The container's answer cannot be understood/);
  await app.close();
  await reload(page);
  await page.getByRole("tab", { name: "Containers" }).waitFor();
  const metrics = await (await agent.fetch("/metrics")).text();
  assert.match(metrics, /fairlead_sessions\{kind="proxy"\} \d/);
  assert.doesNotMatch(metrics, /fairlead_sessions\{kind="(?!proxy)/);
});

test("a file that is chosen on the app's page arrives as it is", async () => {
  const app = await openApp(PORT);
  const size = 64 * MEBIBYTE;
  const sum = await app.evaluate(
    `fetch("/upload", { method: "POST", body: new Blob([new Uint8Array(${size}).fill(7)]) }).then((it) => it.text())`,
  );
  assert.equal(sum, createHash("sha256").update(Buffer.alloc(size, 7)).digest("hex"));
  await app.close();
});

test("signing out of the agent's page closes what was opened from it", async () => {
  const { page } = setup;
  const app = await openApp(PORT);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are signed out.").waitFor();
  await until("a closed door", async () => (await reload(app))?.status() === 401);
  assert.match(await app.content(), /This app is not open/);
});
