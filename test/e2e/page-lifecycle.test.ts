/** Containers started, stopped, restarted and removed on the page. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator } from "playwright-core";
import { until } from "../support/until.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

const WORKER = "page-worker";
/** Takes until somebody makes the file to end, when it is asked to. */
const SLOW = "page-slow";
const SLOWLY =
  "trap 'while [ ! -e /go ]; do usleep 50000; done; exit 0' TERM; echo ready; while :; do usleep 50000; done";
/** Its program is not there. */
const BROKEN = "page-broken";

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => {
    await engine.run(WORKER);
    await engine.run(SLOW, { args: ["--stop-signal", "TERM", "--stop-timeout", "100"], command: ["sh", "-c", SLOWLY] });
    await engine.docker("create", "--name", BROKEN, "busybox", "/not-there");
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [WORKER, SLOW, BROKEN]);
});

test("a container is stopped after a yes that names it, started without one, and restarted", async () => {
  await choose(WORKER, "Stop");
  const dialog = setup.page.getByRole("dialog", { name: `Stop ${WORKER}?` });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await facts(WORKER, "{{.State.Running}}"), "true");
  await choose(WORKER, "Stop");
  await dialog.getByRole("button", { name: "Stop" }).click();
  await row(WORKER).getByText("exited").waitFor();
  await choose(WORKER, "Start");
  await row(WORKER).getByText("running").waitFor();
  const first = await facts(WORKER, "{{.State.StartedAt}}");
  await choose(WORKER, "Restart");
  await setup.page.getByRole("button", { name: "Restart", exact: true }).click();
  await until("another start", async () => (await facts(WORKER, "{{.State.StartedAt}}")) !== first);
});

test("what is under way is told until it is done, and nothing else is begun meanwhile", async () => {
  const { page, engine } = setup;
  await choose(SLOW, "Stop");
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await row(SLOW).getByText("stopping …").waitFor();
  await more(SLOW);
  assert.ok(await page.getByRole("menuitem", { name: "Restart" }).isDisabled());
  await page.keyboard.press("Escape");
  await engine.docker("exec", SLOW, "touch", "/go");
  await row(SLOW).getByText("exited").waitFor();
  await row(SLOW).getByText("stopping …").waitFor({ state: "detached" });
});

test("what runs is removed only by a choice of its own", async () => {
  const { page } = setup;
  await choose(WORKER, "Remove …");
  const dialog = page.getByRole("dialog", { name: `Remove ${WORKER}?` });
  assert.ok(await dialog.getByRole("button", { name: "Remove" }).isDisabled());
  await dialog.getByLabel("Kill it first").check();
  await page.getByRole("button", { name: "Kill and remove" }).click();
  await row(WORKER).waitFor({ state: "detached" });
  await choose(SLOW, "Remove …");
  assert.equal(await page.getByLabel("Kill it first").count(), 0);
  await page.getByRole("button", { name: "Remove", exact: true }).click();
  await row(SLOW).waitFor({ state: "detached" });
});

test("what the engine refuses is said in its words", async () => {
  const { page } = setup;
  await choose(BROKEN, "Start");
  const alert = page.getByRole("alert").filter({ hasText: new RegExp(`Could not start ${BROKEN}: .*not-there`) });
  await alert.getByRole("button", { name: "Dismiss" }).click();
  await alert.waitFor({ state: "detached" });
});

test("nothing on the page broke the content policy or complained", () => {
  // The browser's own word for the refusal above.
  assert.deepEqual(
    setup.complaints.filter((words) => !/Failed to load resource/.test(words)),
    [],
  );
});

function row(name: string): Locator {
  return setup.page.locator(`tr[data-name="${name}"]`);
}

async function more(name: string): Promise<void> {
  await setup.page.getByRole("button", { name: `More for ${name}` }).click();
}

async function choose(name: string, choice: string): Promise<void> {
  await more(name);
  await setup.page.getByRole("menuitem", { name: choice }).click();
}

async function facts(name: string, format: string): Promise<string> {
  return setup.engine.docker("inspect", "--format", format, name);
}
