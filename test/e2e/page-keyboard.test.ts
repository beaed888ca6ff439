/** The page without a mouse, the clipboard, and what a program in a terminal may not do to the page. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { until } from "../support/until.ts";
import { closeTerminal, openShell, screen } from "./page/browser.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";

const SHELL = "page-keyboard";

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => void (await engine.run(SHELL)));
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [SHELL]);
});

test("a terminal is opened, left, found again and ended with the keyboard alone", async () => {
  const { page } = setup;
  await page.getByRole("button", { name: `Terminal in ${SHELL}`, exact: true }).focus();
  await page.keyboard.press("Enter");
  const panel = page.getByRole("tabpanel", { name: `Terminal: ${SHELL}` });
  await until("a prompt", async () => (await screen(panel)).some((row) => row.endsWith("#")));
  await page.keyboard.type("echo ty''ped\n");
  await until("an answer", async () => (await screen(panel)).includes("typed"));

  const focused = page.locator(":focus");
  await page.keyboard.press("Control+Shift+ArrowUp");
  await until("the focus on its tab", async () => (await focused.textContent()) === `Terminal: ${SHELL}`);
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("tab", { name: "Containers", selected: true }).waitFor();
  await until("the focus on the first tab", async () => (await focused.textContent()) === "Containers");
  await page.keyboard.press("ArrowRight");
  await until("the focus on the terminal's tab", async () => (await focused.textContent()) === `Terminal: ${SHELL}`);

  await page.keyboard.press("Delete");
  await page.getByText(`End the terminal in ${SHELL}?`).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.ok(await panel.isVisible());
  await page.keyboard.press("Delete");
  await page.getByRole("button", { name: "End it" }).focus();
  await page.keyboard.press("Enter");
  await panel.waitFor({ state: "detached" });
  await until("the focus on the tab that is left", async () => (await focused.textContent()) === "Containers");
  await processesGone();
});

test("what is selected in a terminal is copied with Ctrl+Shift+C and pasted with Ctrl+Shift+V", async () => {
  const { page, context } = setup;
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const panel = await openShell(page, SHELL);
  await page.keyboard.type("echo copied''word\n");
  await panel.locator(".xterm-rows > div").getByText("copiedword", { exact: true }).dblclick({ force: true });
  await page.keyboard.press("Control+Shift+C");
  await until("the word in the clipboard", async () => (await clipboard()) === "copiedword");
  await page.keyboard.type("echo again:");
  await page.keyboard.press("Control+Shift+V");
  await page.keyboard.press("Enter");
  await until("the pasted word", async () => (await screen(panel)).includes("again:copiedword"));
  await closeTerminal(page, SHELL);
});

test("a program can neither reach the clipboard nor make the page type for it, and its title stays short", async () => {
  const { page } = setup;
  const before = await clipboard();
  const panel = await openShell(page, SHELL);
  const sequences = ["]52;c;c3RvbGVu\\007", "]52;c;?\\007", "[21t", "[14t", "]0;" + "t".repeat(5_000) + "\\007"];
  const script = `stty -echo raw; for s in ${sequences.map((s) => `'${s}'`).join(" ")}; do printf "\\033$s"; done; printf x; dd bs=1 count=1 2>/dev/null | od -c | head -1; stty sane echo; echo`;
  await setup.engine.docker("exec", SHELL, "sh", "-c", 'printf %s "$0" > /hostile', script);
  await page.keyboard.type("sh /hostile\n");
  await until("the end of the sequences", async () => (await screen(panel)).some((row) => row.endsWith("x")));
  await page.keyboard.type("q");
  await until("the first answer to be ours", async () => (await screen(panel)).some((row) => /0000000 +q/.test(row)));
  assert.equal(await clipboard(), before);
  assert.equal((await panel.locator(".title").textContent())?.length, 80);
  await closeTerminal(page, SHELL);
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(setup.complaints, []);
});

async function clipboard(): Promise<string> {
  return await setup.page.evaluate("navigator.clipboard.readText()");
}

/** Closing the tab has ended the shell in the container. */
async function processesGone(): Promise<void> {
  const shells = async () => (await setup.engine.docker("exec", SHELL, "ps", "-o", "comm")).split("\n");
  await until("an end of the shell", async () => !(await shells()).includes("sh"));
}
