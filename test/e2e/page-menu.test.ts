/** The menu of a container's row in a list that changes meanwhile, as it does all the time. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator } from "playwright-core";
import { until } from "../support/until.ts";
import { WIDE } from "./page/browser.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

/** Rows above the one with the menu and below it, together more than the window has room for. */
const ABOVE = ["page-menu-1", "page-menu-2", "page-menu-3", "page-menu-4", "page-menu-5", "page-menu-6"];
const MENU = "page-menu-7";
const BELOW = ["page-menu-8", "page-menu-9"];
const LOW = { width: WIDE.width, height: 330 };

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => {
    for (const name of [...ABOVE.slice(1), MENU, ...BELOW]) await create(engine, name);
  });
  await setup.page.setViewportSize(LOW);
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [...ABOVE, MENU, ...BELOW]);
});

test("it stays open, and under the finger, while rows come, go and change their places above it", async () => {
  const { page, engine } = setup;
  const [first = "", second = ""] = ABOVE;
  const [below = ""] = BELOW;
  await open();
  const place = await item("Start").boundingBox();
  await create(engine, first);
  await row(first).waitFor({ state: "attached" });
  await engine.docker("rm", second);
  await row(second).waitFor({ state: "detached" });
  await engine.docker("start", below);
  await row(below).getByText("running").waitFor();
  await drawn();
  assert.deepEqual(await item("Start").boundingBox(), place);
  await page.keyboard.press("Escape");
});

test("it closes when somebody scrolls, which takes its button away", async () => {
  const { page } = setup;
  await open();
  await page.mouse.move(100, LOW.height / 2);
  await page.mouse.wheel(0, -50);
  await item("Start").waitFor({ state: "hidden" });
});

test("it is used with the keyboard also when the choice that had the focus is gone", async () => {
  const { page, engine } = setup;
  const focused = page.locator(":focus");
  await open();
  await item("Start").focus();
  await engine.docker("start", MENU);
  await item("Stop").waitFor();
  await until("another choice", async () => (await focused.getAttribute("role")) === "menuitem");
  await page.keyboard.press("ArrowUp");
  await until("the focus on the last choice", async () => (await focused.textContent()) === "Remove …");
  await page.keyboard.press("Escape");
  const label = () => focused.getAttribute("aria-label");
  await until("the focus on the menu's button", async () => (await label()) === `More for ${MENU}`);
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(setup.complaints, []);
});

async function create(engine: Setup["engine"], name: string): Promise<void> {
  await engine.docker("create", "--name", name, "busybox", "sleep", "1000");
}

async function open(): Promise<void> {
  const button = setup.page.getByRole("button", { name: `More for ${MENU}` });
  await button.scrollIntoViewIfNeeded();
  await drawn();
  await button.click();
  await item("Details").waitFor();
}

/** The page has drawn what it knows, and said what it has scrolled. */
async function drawn(): Promise<void> {
  await setup.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

function item(words: string): Locator {
  return setup.page.getByRole("menuitem", { name: words, exact: true });
}

function row(name: string): Locator {
  return setup.page.locator(`tr[data-name="${name}"]`);
}
