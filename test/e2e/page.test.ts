/** The page in a real browser against a real agent and engine: signing in, the list, a shell, the keyboard. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator } from "playwright-core";
import { until } from "../support/until.ts";
import { closeTerminal, newCode, openBrowser, openShell, reload, screen, visit, WIDE } from "./page/browser.ts";
import { openPage, removeContainers, type Setup } from "./page/setup.ts";
import type { Size } from "./page/tmux.ts";
import { addTools } from "./page/tools.ts";

const SHELL = "page-shell";
const LATE = "page-late";

let setup: Setup;

before(async () => {
  setup = await openPage(async (engine) => {
    await engine.run(SHELL);
    await addTools(engine, SHELL);
  });
});

after(async () => {
  await setup?.close();
  await removeContainers(setup?.engine, [SHELL, LATE]);
});

test("a wrong code is refused in words and a right one signs in, though the link fills it in", async () => {
  const other = await openBrowser();
  const { page } = other;
  try {
    await visit(page, `${setup.agent.url}#code=AAAA-BBBB-CCCC`);
    assert.equal(await page.getByLabel("One-time code").inputValue(), "AAAA-BBBB-CCCC");
    assert.equal(new URL(page.url()).hash, "");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("wrong").waitFor();
    await page.getByLabel("One-time code").fill(await newCode(setup.agent));
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("tab", { name: "Containers" }).waitFor();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByText("You are signed out.").waitFor();
    await reload(page);
    await page.getByLabel("One-time code").waitFor();
  } finally {
    await other.close();
  }
});

test("the list changes by itself when a container starts, stops and is removed", async () => {
  const { page } = setup;
  await page.getByRole("tab", { name: "Containers" }).click();
  const row = page.locator(`tr[data-name="${LATE}"]`);
  await setup.engine.run(LATE);
  await row.getByText("running").waitFor();
  await setup.engine.docker("stop", LATE);
  await row.getByText("exited").waitFor();
  assert.ok(await row.getByRole("button", { name: "Terminal" }).isDisabled());
  await setup.engine.docker("rm", LATE);
  await row.waitFor({ state: "detached" });
});

test("a link opens nothing and runs nothing, whatever it says (GHSA-m3cr-vc2j-pm27)", async () => {
  const { page, agent, engine } = setup;
  const ran = "touch /ran";
  const said = new URLSearchParams({
    container: SHELL,
    command: ran,
    cmd: ran,
    arg: ran,
    exec: ran,
    op: "exec",
  }).toString();
  for (const link of [`?${said}`, `#${said}`, `?${said}#code=AAAA-BBBB-CCCC&${said}`]) {
    await page.goto("about:blank");
    await visit(page, `${agent.url}/${link}`);
    await page.locator(`tr[data-name="${SHELL}"]`).waitFor();
    assert.equal(await page.getByRole("tab").count(), 1);
  }
  await assert.rejects(engine.docker("exec", SHELL, "ls", "/ran"), /ran/);
});

test("a shell answers, its size follows the window, and its exit code is shown with a way to run it again", async () => {
  const { page } = setup;
  const panel = await openShell(page, SHELL);
  await page.keyboard.type("echo $((6*7))-$0\n");
  await until("the answer of bash", async () => (await screen(panel)).includes("42-bash"));
  const before = await askSize(panel, "one");
  assert.equal(before.rows, (await screen(panel)).length);
  await page.setViewportSize({ width: 800, height: 500 });
  await until("a smaller screen", async () => (await screen(panel)).length < before.rows);
  const smaller = await askSize(panel, "two");
  assert.ok(smaller.cols < before.cols && smaller.rows < before.rows);
  assert.equal(smaller.rows, (await screen(panel)).length);
  await page.setViewportSize(WIDE);
  await page.keyboard.type("exit 3\n");
  await panel.getByText("Ended with exit code 3.").waitFor();
  await panel.getByRole("button", { name: "Run again" }).click();
  await until("a new prompt", async () => (await screen(panel)).some((row) => /[#$]$/.test(row)));
  await closeTerminal(page, SHELL);
});

test("nothing on the page broke the content policy or complained", () => {
  assert.deepEqual(setup.complaints, []);
});

/** The size as a program in the shell is told it. */
async function askSize(panel: Locator, mark: string): Promise<Size> {
  await setup.page.keyboard.type(`echo ${mark}:$(stty size)\n`);
  const answer = new RegExp(`^${mark}:(\\d+) (\\d+)$`);
  let size: Size = { cols: 0, rows: 0 };
  await until("the size", async () => {
    const [, rows, cols] = (await screen(panel)).map((row) => answer.exec(row)).find((match) => match) ?? [];
    size = { cols: Number(cols), rows: Number(rows) };
    return rows !== undefined;
  });
  return size;
}
