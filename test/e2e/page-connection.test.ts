/** What the page does when the connection goes, and when the agent does. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Locator } from "playwright-core";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { type Browser, newCode, openBrowser, openShell, screen, signIn, visit } from "./page/browser.ts";
import { type Cable, layCable } from "./page/cable.ts";
import { removeContainers } from "./page/setup.ts";

const COUNTER = "page-counter";
/** Counts on its log, so that every gap and every repetition shows. */
const COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; usleep 20000; done";
/** The same, typed into a terminal. */
const TYPED = "i=0; while :; do i=$((i+1)); echo typed $i; usleep 100000; done\n";

let engine: Engine;
let agent: TestAgent;
let browser: Browser;
let cable: Cable;

before(async () => {
  engine = await sharedEngine();
  await engine.run(COUNTER, { command: ["sh", "-c", COUNTING] });
  agent = await startAgent({ engine });
  cable = await layCable(agent);
  browser = await openBrowser();
  await signIn(browser.page, { ...agent, url: cable.url });
});

after(async () => {
  await browser?.close();
  cable?.close();
  await agent?.stop();
  await removeContainers(engine, [COUNTER]);
});

test("a torn connection is said, and comes back with not a line lost or repeated", async () => {
  const { page } = browser;
  const shell = await openShell(page, COUNTER);
  await page.keyboard.type(TYPED);
  await until("numbers in the terminal", async () => (await last(shell)) > 5);
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByRole("button", { name: `Log of ${COUNTER}` }).click();
  const log = page.getByRole("tabpanel", { name: `Log: ${COUNTER}` });
  await log.locator("li").first().waitFor();
  const logged = Number((await numbers(log)).at(-1));
  cable.cut();
  await page.getByText("The connection is lost.").waitFor();
  await page.getByRole("tab", { name: "Containers" }).click();
  await page.getByText("The list may be out of date.").waitFor();
  const seen = await last(shell);
  await until("a second attempt", async () => (await page.getByText(/Attempt [2-9]/).count()) > 0);
  cable.mend(agent);
  await page.getByText("The connection is lost.").waitFor({ state: "detached" });
  await page.getByText("Live", { exact: true }).waitFor();

  await page.getByRole("tab", { name: `Terminal: ${COUNTER}` }).click();
  await until("newer numbers in the terminal", async () => (await last(shell)) > seen + 20);
  consecutive(await typed(shell));
  await page.getByRole("tab", { name: `Log: ${COUNTER}` }).click();
  await until("newer lines in the log", async () => Number((await numbers(log)).at(-1)) > logged + 20);
  await log.getByLabel("Filter lines").fill("line");
  consecutive(await numbers(log));
});

test("a new agent knows neither the sign-in nor the shell: both are said, in each window, and both can be had anew", async () => {
  const { page } = browser;
  const other = await browser.context.newPage();
  await visit(other, cable.url);
  await other.getByRole("tab", { name: "Containers" }).waitFor();
  await page.bringToFront();
  await page.getByRole("tab", { name: `Terminal: ${COUNTER}` }).click();
  cable.cut();
  agent.kill("SIGKILL");
  await agent.exited;
  agent = await startAgent({ engine, home: agent.home, flags: ["--shutdown-grace", "5m"] });
  cable.mend(agent);
  for (const window of [page, other]) await window.getByText(/^Your sign-in has ended\b.* Use a new code\.$/).waitFor();
  await other.close();
  await page.getByLabel("One-time code").fill(await newCode(agent));
  await page.getByRole("button", { name: "Sign in" }).click();
  const shell = page.getByRole("tabpanel", { name: `Terminal: ${COUNTER}` });
  await shell.getByRole("button", { name: "Start anew" }).waitFor();
  assert.ok((await typed(shell)).length > 0, "what the terminal showed is still there");
  await shell.getByRole("button", { name: "Start anew" }).click();
  await until("a prompt", async () => (await screen(shell)).some((row) => row.endsWith("#")));

  await page.getByRole("tab", { name: `Log: ${COUNTER}` }).click();
  const log = page.getByRole("tabpanel", { name: `Log: ${COUNTER}` });
  const logged = Number((await numbers(log)).at(-1));
  await log.getByRole("button", { name: "Follow again" }).click();
  await until("newer lines in the log", async () => Number((await numbers(log)).at(-1)) > logged + 20);
  consecutive(await numbers(log));
});

test("leaving the page asks first, and ends what runs in its terminals", async () => {
  const { page } = browser;
  await page.getByRole("tab", { name: `Terminal: ${COUNTER}` }).click();
  await page.keyboard.type("exec sleep 54321\n");
  const sleeps = async () => (await engine.docker("exec", COUNTER, "ps", "-o", "args")).includes("sleep 54321");
  await until("the command in the container", sleeps);
  const asked = new Promise<string>((resolve) => {
    page.once("dialog", (dialog) => {
      resolve(dialog.type());
      void dialog.accept();
    });
  });
  await page.goto("about:blank");
  assert.equal(await asked, "beforeunload");
  await until("an end of the command", async () => !(await sleeps()));
});

test("an agent that is told to end says so where a terminal is open, and lets that finish", async () => {
  const { page } = browser;
  await visit(page, cable.url);
  const shell = await openShell(page, COUNTER);
  agent.kill("SIGTERM");
  await page.getByText("The agent is shutting down.").waitFor();
  await page.keyboard.type("exit 4\n");
  await shell.getByText("Ended with exit code 4.").waitFor();
  assert.equal(await agent.exited, 0);
});

async function typed(shell: Locator): Promise<string[]> {
  return (await screen(shell)).flatMap((row) => /^typed (\d+)$/.exec(row)?.[1] ?? []);
}

/** The last number in the terminal. */
async function last(shell: Locator): Promise<number> {
  return Number((await typed(shell)).at(-1) ?? 0);
}

/** The numbers of the lines of the log that are drawn. */
async function numbers(log: Locator): Promise<string[]> {
  return (await log.locator("li").allTextContents()).flatMap((text) => /line (\d+)$/.exec(text)?.[1] ?? []);
}

function consecutive(numbers: string[]): void {
  const [first = 0] = numbers.map(Number);
  assert.ok(numbers.length > 10);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => String(first + index)),
  );
}
