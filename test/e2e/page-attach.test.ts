/** Attaching to a container's main process on the page, as `ctl attach` does. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator, Page } from "playwright-core";
import { until } from "../support/until.ts";
import { screen, WIDE } from "./page/browser.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

/** With a terminal, with an input and no terminal, with neither, and one that writes faster than any page reads. */
const SHELL = "page-attach-shell";
const READER = "page-attach-reader";
const TALKER = "page-attach-talker";
const FLOOD = "page-attach-flood";
const TALKING = "i=0; while :; do i=$((i+1)); echo talk $i; echo err $i >&2; usleep 200000; done";
const FLOODING =
  "read go; while [ ! -e /stop ]; do head -c 10000000 /dev/zero | tr '\\0' x | fold; done; echo the end; sleep 1000";

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => {
    await engine.run(SHELL, { args: ["-i", "-t"], command: ["sh"] });
    await engine.run(READER, { args: ["-i"], command: ["sh", "-c", "while read a; do echo got $a; done; exit 6"] });
    await engine.run(TALKER, { command: ["sh", "-c", TALKING] });
    await engine.run(FLOOD, { args: ["-i"], command: ["sh", "-c", FLOODING] });
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [SHELL, READER, TALKER, FLOOD]);
});

test("a main process with a terminal is typed to, let go of with Ctrl-P Ctrl-Q or the button, and its exit code is told", async () => {
  const { page } = setup;
  const panel = await attach(page, SHELL);
  await shows(panel, /#$/);
  await page.keyboard.type("echo $((6*7))-$$\n");
  await shows(panel, /^42-1$/);
  const size = async () => (await setup.engine.docker("exec", SHELL, "stty", "-F", "/dev/pts/0", "size")).split(" ")[0];
  await until("the page's size in the container", async () => (await size()) === String((await screen(panel)).length));
  await page.keyboard.press("Control+p");
  await page.keyboard.press("Control+q");
  await panel.getByText("Detached. The container goes on.").waitFor();
  assert.equal(await running(SHELL), "true");

  await panel.getByRole("button", { name: "Attach again" }).click();
  await panel.getByRole("button", { name: "Detach" }).waitFor();
  await page.keyboard.type("echo ag''ain\n");
  await shows(panel, /^again$/);
  await panel.getByRole("button", { name: "Detach" }).click();
  await panel.getByText("Detached. The container goes on.").waitFor();
  assert.equal(await running(SHELL), "true");

  await panel.getByRole("button", { name: "Attach again" }).click();
  await panel.getByRole("button", { name: "Detach" }).waitFor();
  await page.keyboard.type("exit 3\n");
  await panel.getByText("The container stopped with exit code 3.").waitFor();
  await panel.getByRole("button", { name: "Attach again" }).click();
  await panel.getByText(/Not attached: .*not running/).waitFor();
});

test("a main process without a terminal is sent lines, and closing the tab leaves it alone without asking", async () => {
  const { page } = setup;
  const panel = await attach(page, READER);
  await panel.getByLabel("Line to send").fill("one two");
  await page.keyboard.press("Enter");
  await shows(panel, /^got one two$/);
  assert.ok((await screen(panel)).includes("one two"), "what was sent is seen too");
  await page.getByRole("button", { name: `Close Attached: ${READER}` }).click();
  await panel.waitFor({ state: "detached" });
  assert.equal(await running(READER), "true");
});

test("a container without an input is only looked at, which is said", async () => {
  const { page } = setup;
  const panel = await attach(page, TALKER);
  await panel.getByText("Read-only: the container takes no input.").waitFor();
  await shows(panel, /^talk \d+$/);
  await shows(panel, /^err \d+$/);
  assert.equal(await panel.getByLabel("Line to send").count(), 0);
});

test("what a page misses that is too slow is told, and what comes after it is shown", async () => {
  const { page } = setup;
  const panel = await attach(page, FLOOD);
  await panel.getByLabel("Line to send").fill("go");
  await page.keyboard.press("Enter");
  await panel.getByText(/[KM]iB are missing: this page was too slow/).waitFor();
  await setup.engine.docker("exec", FLOOD, "touch", "/stop");
  await shows(panel, /the end$/);
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(setup.complaints, []);
});

/** Through the menu of its row, with the keyboard. */
async function attach(page: Page, name: string): Promise<Locator> {
  await page.setViewportSize(WIDE);
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByRole("button", { name: `More for ${name}` }).focus();
  await page.keyboard.press("Enter");
  const focused = page.locator(":focus");
  await until("the choice", async () => {
    if ((await focused.textContent()) === "Attach") return true;
    await page.keyboard.press("ArrowDown");
    return false;
  });
  await page.keyboard.press("Enter");
  return page.getByRole("tabpanel", { name: `Attached: ${name}` });
}

async function shows(panel: Locator, row: RegExp): Promise<void> {
  await until(`${row} on the screen`, async () => (await screen(panel)).some((each) => row.test(each)));
}

async function running(name: string): Promise<string> {
  return setup.engine.docker("inspect", "--format", "{{.State.Running}}", name);
}
